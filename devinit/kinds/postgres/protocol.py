"""The first messages of PostgreSQL's protocol, which are enough to find out whether a server is up.

https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

from devinit.model.probe import ProbeResult, ProbeVerdict

PROTOCOL_VERSION = b"\x00\x03\x00\x00"
CANNOT_CONNECT_NOW = "57P03"
"""Sent while the server starts, recovers from a crash, or shuts down; it accepts TCP connections all the while."""
VERSION_3_ANSWERS = (b"R", b"E", b"v")
"""Authentication, error, and the offer of an older server to use a lower minor version."""


def startup_message(user: str, database: str) -> bytes:
    """Return the first message of a client."""
    pairs = ("user", user, "database", database)
    body = PROTOCOL_VERSION + b"".join(text.encode() + b"\0" for text in pairs) + b"\0"
    return (len(body) + 4).to_bytes(4, "big") + body


def judge(answer: bytes) -> ProbeResult:
    """Return the result of the first answer to a startup message.

    A request for a password is enough: PostgreSQL requests one also for roles that do not exist, so the server is
    known to be up before the project's role is created.
    """
    if not answer:
        return ProbeResult(ProbeVerdict.NOT_YET, "it closes the connection")
    if answer[:1] not in VERSION_3_ANSWERS:
        return ProbeResult(ProbeVerdict.REFUSED, "what answers there is not PostgreSQL")
    if answer[:1] != b"E":
        return ProbeResult(ProbeVerdict.READY)
    fields = error_fields(answer)
    message = fields.get("M", "")
    if fields.get("C") == CANNOT_CONNECT_NOW:
        return ProbeResult(ProbeVerdict.NOT_YET, message)
    return ProbeResult(ProbeVerdict.READY, message)


def error_fields(answer: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse by letter: C is the SQLSTATE, M the message."""
    texts = answer[5:].decode(errors="replace").split("\0")
    return {text[0]: text[1:] for text in texts if text}
