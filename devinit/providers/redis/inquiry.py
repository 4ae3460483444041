"""Ask a Redis or Valkey that somebody else runs who it is. Nothing is changed there."""

from __future__ import annotations

from devinit.model.running import RunningServer
from devinit.providers.running import Answer, Line, Unusable

_COMMANDS = (("PING",), ("INFO", "server"), ("INFO", "replication"), ("INFO", "keyspace"))
_ERRORS = {
    "NOAUTH": "Redis answers, but it wants a password, and the project has none",
    "DENIED": "Redis answers, but it lets nobody in without a password (protected mode)",
    "LOADING": "Redis answers, but it is reading its data",
    "BUSY": "Redis answers, but a script keeps it busy",
    "MASTERDOWN": "Redis answers, but it is a replica that has lost its master",
}


def ask(line: Line) -> Answer:
    """Log in as the project does, without a password, and read what it says about itself. Raise Unusable."""
    line.send(b"".join(_command(words) for words in _COMMANDS))
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
    return Answer(server=server, instance=facts["run_id"])


def _command(words: tuple[str, ...]) -> bytes:
    parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{parts}".encode()


def _reply(line: Line) -> str:
    """Return a simple or a bulk reply. Raise Unusable for an error, and for what is no Redis."""
    kind, rest = (text := line.line())[:1], text[1:].decode(errors="replace")
    if kind == b"+":
        return rest
    if kind == b"$" and rest.isdecimal():
        return line.exactly(int(rest) + 2).decode(errors="replace")
    if kind == b"-":
        raise Unusable(_ERRORS.get(rest.partition(" ")[0], f"Redis answers, but says: {rest}"))
    raise Unusable("what answers there is not Redis")


def _facts(text: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in text.splitlines() if not each.startswith("#"))
    return {key: value for key, separator, value in pairs if separator}


def _keys(text: str) -> int:
    """Return how many keys `keys=57,expires=0,avg_ttl=0` is about; a database without keys is not told."""
    count = text.partition("keys=")[2].partition(",")[0]
    return int(count) if count.isdecimal() else 0
