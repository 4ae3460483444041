"""A login to a PostgreSQL that devinit did not start, as by a client of the project, to identify the server.

It changes nothing there. The password is used only in a proof: SCRAM, by which the server also proves that it
knows the password, or the older MD5. A server that wants to read the password, or accepts every client, gets no
proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from devinit.kinds.postgres.protocol import CANNOT_CONNECT_NOW, error_fields, startup_message
from devinit.kinds.postgres.scram import MECHANISM, Impostor, Scram
from devinit.kinds.running import ServerReply, TimedConnection, Unusable
from devinit.model.running import RunningServer
from devinit.model.service import DatabaseSettings

_WORDS = {
    "28": "role {user} cannot log in",
    "3D000": "it has no database {database}",
    "42501": "role {user} may not use the database {database}",
    "53300": "it has no connection left",
    CANNOT_CONNECT_NOW: "it is starting or shutting down",
}
"""Messages by the beginning of the SQLSTATE; the server's own messages may be in any language."""
QUESTION = (
    "SELECT pg_catalog.version(), pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_is_in_recovery()"
)
FAREWELL = b"X\0\0\0\x04"


class Login(IntEnum):
    """The requests of a server: https://www.postgresql.org/docs/current/protocol-message-formats.html."""

    NOTHING_MORE = 0
    PASSWORD = 3
    MD5 = 5
    SASL = 10
    SASL_CONTINUE = 11
    SASL_FINAL = 12


def ask(line: TimedConnection, settings: DatabaseSettings) -> ServerReply:
    """Log in with the project's role, password and database. Raise Unusable with the reason for a failure."""
    line.send(startup_message(settings.user, settings.database))
    messages = _messages(line, settings)
    authenticated = _authenticate(line, messages, settings)
    for kind, _ in messages:
        if kind == b"Z":
            break
    line.send(_message(b"Q", QUESTION.encode() + b"\0"))
    rows = []
    for kind, body in messages:
        if kind == b"D":
            rows.append(_columns(body))
        elif kind == b"Z":
            break
    line.send(FAREWELL)
    match rows:
        case [[version, since, recovering]]:
            pass
        case _:
            raise Unusable("it speaks PostgreSQL's protocol, and is none")
    title = " ".join(version.split()[:2])
    if not title.startswith("PostgreSQL "):
        raise Unusable(f"it is no PostgreSQL but {title}")
    if recovering != "f":
        raise Unusable(f"{title} answers, but it is a standby, which only reads")
    server = RunningServer(title=title, detail=f"database {settings.database}", authenticated=authenticated)
    return ServerReply(server=server, instance=since)


def _authenticate(
    line: TimedConnection, messages: Iterator[tuple[bytes, bytes]], settings: DatabaseSettings
) -> bool:
    """Log in; return whether the server checked the password."""
    scram = Scram(settings.secret)
    proven = False
    for kind, body in messages:
        if kind != b"R":
            continue
        rest = body[4:]
        try:
            match int.from_bytes(body[:4], "big"):
                case Login.NOTHING_MORE:
                    return proven
                case Login.MD5:
                    line.send(_message(b"p", _md5(settings, rest) + b"\0"))
                    proven = True
                case Login.SASL if MECHANISM.encode() in rest.split(b"\0"):
                    first = scram.first()
                    length = len(first).to_bytes(4, "big")
                    line.send(_message(b"p", MECHANISM.encode() + b"\0" + length + first))
                case Login.SASL_CONTINUE:
                    line.send(_message(b"p", scram.proof(rest)))
                case Login.SASL_FINAL:
                    scram.verify(rest)
                    proven = True
                case Login.PASSWORD:
                    raise Unusable(
                        "PostgreSQL answers, but it wants to read the password, which a stranger is not told"
                    )
                case _:
                    raise Unusable("PostgreSQL answers, but it wants another login than with a password")
        except Impostor as error:
            raise Unusable(f"PostgreSQL answers, but {error}") from error
    raise Unusable("it closes the connection")


def _messages(line: TimedConnection, settings: DatabaseSettings) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and content of messages. Raise Unusable for an error, and if it is no PostgreSQL."""
    kind = line.exactly(1)
    if kind not in (b"R", b"E", b"v", b"N"):
        raise Unusable("what answers there is not PostgreSQL")
    while True:
        body = line.exactly(int.from_bytes(line.exactly(4), "big") - 4)
        if kind == b"E":
            raise Unusable(f"PostgreSQL answers, but {_explained(body, settings)}")
        yield kind, body
        kind = line.exactly(1)


def _explained(body: bytes, settings: DatabaseSettings) -> str:
    fields = error_fields(b"E\0\0\0\0" + body)
    code = fields.get("C", "")
    for beginning, words in _WORDS.items():
        if code.startswith(beginning):
            return words.format(user=settings.user, database=settings.database)
    return fields.get("M", f"with error {code}")


def _columns(body: bytes) -> list[str]:
    values, at = [], 2
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        values.append(body[at : at + max(length, 0)].decode(errors="replace"))
        at += max(length, 0)
    return values


def _md5(settings: DatabaseSettings, salt: bytes) -> bytes:
    from hashlib import md5  # only old servers ask for it

    inner = md5((settings.secret + settings.user).encode(), usedforsecurity=False).hexdigest()
    return b"md5" + md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body
