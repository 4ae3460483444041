"""Whether a service is asked by http or https: what it was found to speak, remembered for its next start.

Others are told its URL before it runs: what a backend is told about a frontend with a certificate would be wrong
at each start, and the backend would be restarted for the right one.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from devinit.errors import StateFileError
from devinit.model.service import Scheme, Service
from devinit.system.files import read_text, write_atomically

log = logging.getLogger(__name__)

NAME = "schemes.json"
WORDS = ("https", "ssl", "tls", "cert")
"""Without one of these there is no hint, and no pattern to compile: 0.3 ms of a start."""
HINTS = (
    r"(?i)--[\w-]*(?:https|ssl|tls|cert)|\bHTTPS=(?:true|1)|basic-?ssl|mkcert"
    r"""|\b(?:https|ssl)["']?\s*:(?!//)"""
)
"""In a command line, a script or the configuration of a dev server: `uvicorn --ssl-certfile`, `next dev --https`,
`HTTPS=true react-scripts start`, Vite's `basicSsl()`, `server: { https: {…} }`, Angular's `"ssl": true`."""
SERVERS = frozenset({"vite", "nuxt", "vue", "webpack", "astro", "svelte"})
"""Dev servers that are configured in `NAME.config.js`, or another ending, in the folder of a service."""
LARGEST_FILE = 200_000
LATER_SECONDS = (0.2, 1.0, 3.0)
"""When to look at the output of a service that has become ready: some print their URL only after they listen."""


class Schemes:
    """What the services of a checkout were found to speak, where their configuration does not say it."""

    def __init__(self, private: Path) -> None:
        self._path = private / NAME
        self._found = _read(self._path)

    def settled(self, service: Service) -> Service:
        """Return a service with the scheme that it states, was found to speak, or is likely to speak."""
        if not is_open(service):
            return service
        expected = Scheme.HTTPS if _hints(service.command or "") else None
        scheme = self._found.get(service.name, expected)
        return service if scheme is None else msgspec.structs.replace(service, scheme=scheme)

    def remember(self, service: str, scheme: Scheme) -> None:
        """Keep what a service was found to speak."""
        self._found[service] = scheme
        try:
            write_atomically(self._path, msgspec.json.encode(self._found) + b"\n", mode=0o600, durable=False)
        except StateFileError as error:
            # It is found out again at the next start.
            log.warning("%s", error.message)


def is_open(service: Service) -> bool:
    """Whether it has to be found out what a service speaks."""
    return (
        service.scheme is None
        and service.provider == "process"
        and service.port is not None
        and service.external_url is None
    )


def is_configured_for_tls(service: Service) -> bool:
    """Whether a service's command or the configuration of its dev server suggests that it speaks TLS.

    That is reason enough to greet it. Without a reason nothing is greeted: a server without TLS may log an error.
    """
    return _hints(service.command or "") or any(map(_hints, _configurations(service.directory)))


def says_https(output: str, port: int) -> bool:
    """Whether a service prints an address of https on its port."""
    return re.search(rf"https://[^\s/]*:{port}\b", output) is not None


def _hints(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in WORDS) and re.search(HINTS, text) is not None


def _configurations(directory: Path) -> Iterator[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208 - names are wanted
    except OSError:
        return
    for name in sorted(names):
        first, _, rest = name.partition(".")
        if name in ("package.json", "angular.json") or (first in SERVERS and rest.startswith("config.")):
            # Not ours to judge: what cannot be read is no hint.
            with suppress(StateFileError):
                yield read_text(directory / name, most=LARGEST_FILE) or ""


def _read(path: Path) -> dict[str, Scheme]:
    try:
        text = read_text(path)
        return msgspec.json.decode(text, type=dict[str, Scheme]) if text is not None else {}
    except (StateFileError, msgspec.DecodeError, RecursionError) as error:
        # It is found out again.
        log.warning("%s cannot be read: %s", path, error)
        return {}
