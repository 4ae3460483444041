"""Rewrite addresses for use in a container: names of services replace this machine. Pure.

Endpoints have these names already. This module handles texts that name the machine themselves:
`http://localhost:8001` in `[environment]`, `--host 127.0.0.1` in a command.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container's own network
"""The address on which a program in a container must listen to be reachable from outside."""
_OF_THIS_MACHINE = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5})(?!\d))?(?![\w-])")
_FOR_BROWSERS = re.compile(
    r"^(?:VITE|NEXT_PUBLIC|NUXT_PUBLIC|REACT_APP|PUBLIC|EXPO_PUBLIC|GATSBY|NG_APP)_|(?:^|_)(?:CORS|ORIGINS?|REDIRECT|CALLBACK|ALLOWED)(?:_|$)"
)

Places = Mapping[int, tuple[str, int]]
"""Port on this machine → service, and its port in the container."""


def is_for_browsers(variable: str, frontends: Collection[str]) -> bool:
    """Return whether a variable holds an address for browsers, which run on the machine and in no container.

    `frontends` has the variable prefixes of services with pages; their URL is the one for browsers.
    """
    return bool(_FOR_BROWSERS.search(variable)) or any(variable == f"{each}_URL" for each in frontends)


def from_inside(text: str, places: Places) -> str:
    """Return a value with the addresses of services as another container reaches them."""

    def replaced(found: re.Match[str]) -> str:
        place = places.get(int(found[1])) if found[1] else None
        return found[0] if place is None else f"{place[0]}:{place[1]}"

    return _OF_THIS_MACHINE.sub(replaced, text)


def command_inside(text: str, own: int | None, places: Places) -> str:
    """Return a command line that listens on all interfaces, and reaches other services by their names.

    `own` is the port of the service itself.
    """

    def replaced(found: re.Match[str]) -> str:
        number = int(found[1]) if found[1] else None
        place = places.get(number) if number is not None and number != own else None
        if place is not None:
            return f"{place[0]}:{place[1]}"
        return EVERYWHERE if number is None else f"{EVERYWHERE}:{number}" if number == own else found[0]

    return _OF_THIS_MACHINE.sub(replaced, text)
