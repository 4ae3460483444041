"""Detection of UTF-16 files, which PowerShell and some editors on Windows write."""

from __future__ import annotations

UTF_16 = "UTF-16, as Windows PowerShell writes it"
SAVE_AS_UTF_8 = "save it as UTF-8 (`Set-Content -Encoding utf8` in PowerShell)"
_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_utf_16(content: bytes) -> bool:
    """Whether a text is UTF-16, with or without a byte order mark; without, one of its first two bytes is NUL."""
    first = content[:2]
    return first in _MARKS or (len(first) == len(b"a\0") and first.count(0) == 1)
