"""The first packet of MySQL's protocol: enough to know whether a server is up. Pure.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
"""

from __future__ import annotations

from devinit.model.probe import ProbeResult, ProbeVerdict

_HEADER = 4
_GREETING, _ERROR = 10, 255
_TEXT = 3
"""Offset of an error's text, after its number."""


def judge(answer: bytes) -> ProbeResult:
    """Judge the first packet that a server sends to a client: its greeting, or an error that refuses it."""
    if not answer:
        return ProbeResult(ProbeVerdict.NOT_YET, "it closes the connection")
    body = answer[_HEADER:]
    if body[:1] == bytes([_GREETING]):
        return ProbeResult(ProbeVerdict.READY)
    if body[:1] == bytes([_ERROR]):
        return ProbeResult(ProbeVerdict.READY, body[_TEXT:].decode(errors="replace"))
    return ProbeResult(ProbeVerdict.REFUSED, "what answers there is not MySQL")
