"""Read the Go version that a repository requires: the `go` line of go.mod. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.toolchains.asked import Form, Reader, Stated, line_of

_GO = re.compile(r"^go[ \t]+(\d[\w.]{0,30})", re.MULTILINE)


def of_module(text: str) -> Iterator[Stated]:
    """Yield the version in a go.mod."""
    if (found := _GO.search(text)) is not None:
        yield Stated("go", found[1], Form.AT_LEAST, line_of(text, found.start()))


READERS: dict[str, Reader] = {"go.mod": of_module}
