"""Identification of a Redis or Valkey that devinit did not start. It changes nothing there."""

from __future__ import annotations

from devinit.kinds.redis.resp import command
from devinit.kinds.running import ServerReply, TimedConnection, Unusable
from devinit.model.running import RunningServer

_LONGEST_NUMBER = 18
"""In digits: the server on the port may be no Redis, and send anything."""
_COMMANDS = (("PING",), ("INFO", "server"), ("INFO", "replication"), ("INFO", "keyspace"))
_ERRORS = {
    "NOAUTH": "Redis answers, but it wants a password, and the project has none",
    "DENIED": "Redis answers, but it lets no client in without a password (protected mode)",
    "LOADING": "Redis answers, but it is reading its data",
    "BUSY": "Redis answers, but a script keeps it busy",
    "MASTERDOWN": "Redis answers, but it is a replica that has lost its master",
}


def ask(line: TimedConnection, *, needs_password: bool = False) -> ServerReply:
    """Log in without a password, and read the server's information about itself. Raise Unusable.

    In this protocol a password cannot be proven without sending it, and an unknown server must not get it: a
    service with a password never uses a server that was found.
    """
    line.send(b"".join(command(*words) for words in _COMMANDS))
    if needs_password:
        raise Unusable(_password_not_told(line))
    if _reply(line) != "PONG":
        raise Unusable("what answers there is not Redis")
    facts: dict[str, str] = {}
    for _ in _COMMANDS[1:]:
        facts |= _facts(_reply(line))
    if not facts.keys() >= {"redis_version", "run_id"}:
        raise Unusable("it speaks the protocol of Redis, and is none")
    is_valkey = facts.get("server_name") == "valkey"
    title = f"Valkey {facts.get('valkey_version', '')}" if is_valkey else f"Redis {facts['redis_version']}"
    mode = facts.get("server_mode") or facts.get("redis_mode", "standalone")
    if mode != "standalone":
        raise Unusable(f"{title} answers, but it runs as a {mode}")
    if facts.get("role", "master") != "master":
        raise Unusable(f"{title} answers, but it is a replica, which only reads")
    keys = _keys(facts.get("db0", ""))
    server = RunningServer(title=title.strip(), detail=f"{keys} key{'' if keys == 1 else 's'} in database 0")
    return ServerReply(server=server, instance=facts["run_id"])


def _password_not_told(line: TimedConnection) -> str:
    """Return why a service with a password cannot use the server."""
    kind = line.line()
    if kind == b"+PONG":
        return "Redis answers, but it asks for no password, and the service has one"
    if kind.startswith(b"-NOAUTH"):
        return "Redis answers, but it wants to read the password, which a stranger is not told"
    return "what answers there is not Redis"


def _reply(line: TimedConnection) -> str:
    """Return a simple or a bulk reply. Raise Unusable for an error, and for a server that is no Redis."""
    kind, rest = (text := line.line())[:1], text[1:].decode(errors="replace")
    if kind == b"+":
        return rest
    if kind == b"$" and rest.isdecimal() and len(rest) <= _LONGEST_NUMBER:
        return line.exactly(int(rest) + 2).decode(errors="replace")
    if kind == b"-":
        raise Unusable(_ERRORS.get(rest.partition(" ")[0], f"Redis answers, but says: {rest}"))
    raise Unusable("what answers there is not Redis")


def _facts(text: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in text.splitlines() if not each.startswith("#"))
    return {key: value for key, separator, value in pairs if separator}


def _keys(text: str) -> int:
    """Return the number in `keys=57,expires=0,avg_ttl=0`; 0 for a database without keys, which is not listed."""
    count = text.partition("keys=")[2].partition(",")[0]
    return int(count) if count.isdecimal() and len(count) <= _LONGEST_NUMBER else 0
