"""Specifies how what is typed is cut into pieces that arrive whole."""

from __future__ import annotations

import pytest

from devinit.cli.attached.session import pieces_of
from devinit.system.standard_input import ATOMIC_BYTES


class TestPieces:
    @pytest.mark.parametrize("text", ["", "p x\n", "x" * 10_000, "ü" * 5_000, "a" + "😀" * 3_000])
    def test_make_the_text_again_and_are_small_enough(self, text: str) -> None:
        pieces = list(pieces_of(text))

        assert "".join(pieces) == text
        assert all(len(piece.encode()) <= ATOMIC_BYTES for piece in pieces)
        assert all(pieces[:-1])
