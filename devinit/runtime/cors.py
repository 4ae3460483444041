"""The origins that a backend has to accept: those from which browsers load its frontends."""

from __future__ import annotations

from collections.abc import Iterable

from devinit.model.service import Endpoint
from devinit.model.web_ports import without_usual_port


def origins(frontends: Iterable[Endpoint], *, names_first: bool = False) -> tuple[str, ...]:
    """Return each origin once, in the order of the frontends: by port and, where pages have names, by name.

    A browser treats `localhost` and `127.0.0.1` as two origins, and users type either. The browser leaves out the
    default port of the scheme, and servers compare origins as text.
    """
    pages = tuple(frontends)
    by_port = [without_usual_port(origin) for endpoint in pages for origin in _origins_of(endpoint)]
    by_name = [origin for endpoint in pages for origin in endpoint.name_origins]
    return tuple(dict.fromkeys([*by_name, *by_port] if names_first else [*by_port, *by_name]))


def _origins_of(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.origins or endpoint.port is None:
        return endpoint.origins
    return (f"http://localhost:{endpoint.port}", f"http://127.0.0.1:{endpoint.port}")
