"""The error at the end of a build, in words: the same in commands, in the dashboard and in events."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def in_words(error: Mapping[str, Any]) -> str:
    """Return an error with its place. Any: a `LastError`, which may come off the wire."""
    file, line = error["file"], error["line"]
    place = f"{file}, line {line}" if file and line else file
    return f"{error['text']} ({place})" if place else str(error["text"])
