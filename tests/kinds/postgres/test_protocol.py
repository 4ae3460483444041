"""Specifies `devinit.kinds.postgres.protocol`."""

from __future__ import annotations

import pytest

from devinit.kinds.postgres.protocol import error_fields, judge, startup_message
from devinit.model.probe import ProbeVerdict


def an_error(code: str, message: str) -> bytes:
    body = f"SFATAL\0VFATAL\0C{code}\0M{message}\0\0".encode()
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


class TestTheStartupMessage:
    def test_is_what_the_protocol_asks_for(self) -> None:
        expected = "00000028 00030000 7573657200 646576696e697400 646174616261736500 706f73746772657300 00"

        assert startup_message("devinit", "postgres") == bytes.fromhex(expected)


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (b"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0", ProbeVerdict.READY),
            (an_error("57P03", "the database system is starting up"), ProbeVerdict.NOT_YET),
            (an_error("28000", "no pg_hba.conf entry"), ProbeVerdict.READY),
            (an_error("3D000", 'database "shop" does not exist'), ProbeVerdict.READY),
            (an_error("53300", "sorry, too many clients already"), ProbeVerdict.READY),
            (b"", ProbeVerdict.NOT_YET),
            (b"HTTP/1.1 400 Bad Request\r\n", ProbeVerdict.REFUSED),
            (b"-ERR unknown command", ProbeVerdict.REFUSED),
        ],
    )
    def test_says_whether_the_server_is_up(self, answer: bytes, verdict: ProbeVerdict) -> None:
        assert judge(answer).verdict is verdict

    def test_repeats_what_the_server_says(self) -> None:
        assert judge(an_error("57P03", "not yet")).detail == "not yet"

    def test_may_be_cut_off(self) -> None:
        assert error_fields(an_error("57P03", "not yet")[:20]).get("S") == "FATAL"
