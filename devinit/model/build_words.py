"""The error that a build ended with, in words: the same ones in commands, in the dashboard and in events."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def in_words(error: Mapping[str, Any]) -> str:
    """Return an error with its place. Any: a `LastError`, as it may come off the wire."""
    file, line = error["file"], error["line"]
    place = f"{file}, line {line}" if file and line else file
    return f"{error['text']} ({place})" if place else str(error["text"])
