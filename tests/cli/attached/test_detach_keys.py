"""Specifies how the keys are found that detach from a terminal."""

from __future__ import annotations

import pytest

from devinit.cli.attached.detach_keys import DetachKeys
from devinit.errors import UsageError


class TestTheKeys:
    def test_detach_and_are_not_passed_on(self) -> None:
        assert DetachKeys().take(b"ab\x1dcd") == (b"ab", True)

    @pytest.mark.parametrize("code", [b"\x1d", b"\x1b[93;5u", b"\x1b[27;5;93~"])
    def test_are_known_however_a_terminal_reports_them(self, code: bytes) -> None:
        assert DetachKeys().take(code) == (b"", True)

    def test_let_everything_else_pass(self) -> None:
        assert DetachKeys().take(b"\x1b[A]\x03\xff") == (b"\x1b[A]\x03\xff", False)

    def test_may_be_several_in_a_row(self) -> None:
        keys = DetachKeys("ctrl-p,ctrl-q")

        assert keys.take(b"a\x10") == (b"a", False)
        assert keys.take(b"\x11") == (b"", True)

    def test_that_are_begun_and_not_meant_are_passed_on(self) -> None:
        keys = DetachKeys("ctrl-p,ctrl-q")

        assert keys.take(b"\x10") == (b"", False)
        assert keys.take(b"\x10") == (b"\x10", False)
        assert keys.take(b"x") == (b"\x10x", False)

    def test_may_be_a_plain_character(self) -> None:
        assert DetachKeys("ctrl-a,d").take(b"d\x01d") == (b"d", True)

    def test_have_a_name(self) -> None:
        assert (DetachKeys().words, DetachKeys("ctrl-p,ctrl-q").words) == ("Ctrl-]", "Ctrl-P Ctrl-Q")

    @pytest.mark.parametrize("text", ["", "ctrl-", "ctrl-1", "alt-x", "ctrl-a,,b", "ab"])
    def test_that_are_none_are_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="names no keys"):
            DetachKeys(text)
