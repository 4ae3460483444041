"""Find the page that a health check requests. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

_FETCHES = re.compile(r"(?<![\w-])(?:curl|wget)(?![\w-])")
_OWN_PAGE = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d{1,5}))?(/[^\s\"'|;&$]{0,200})?(?![^\s\"'|;&])"
)


class Page(Struct, frozen=True):
    """A page of the service itself."""

    path: str
    port: int | None
    """None when the command names no port."""


def own_page(command: str) -> Page | None:
    """Return the local page that a command fetches by curl or wget; None unless it is exactly one."""
    pages = [*_OWN_PAGE.finditer(command)]
    if len(pages) != 1 or not _FETCHES.search(command):
        return None
    return Page(pages[0][2] or "/", int(pages[0][1]) if pages[0][1] else None)
