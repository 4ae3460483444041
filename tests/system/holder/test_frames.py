"""Specifies how the messages of a holder and its clients are told apart."""

from __future__ import annotations

import pytest

from devinit.system.holder.frames import INPUT, LONGEST_BYTES, OUTPUT, Broken, Frames, frame


def test_frames_may_come_in_any_pieces() -> None:
    data = frame(INPUT, b"abc") + frame(OUTPUT) + frame(OUTPUT, b"x" * 300)

    for size in (1, 3, 7, len(data)):
        frames = Frames()
        taken = [
            each for start in range(0, len(data), size) for each in frames.take(data[start : start + size])
        ]
        assert taken == [(INPUT, b"abc"), (OUTPUT, b""), (OUTPUT, b"x" * 300)]


def test_a_frame_that_is_too_long_is_refused() -> None:
    with pytest.raises(Broken):
        list(Frames().take(INPUT + (LONGEST_BYTES + 1).to_bytes(4, "big")))
