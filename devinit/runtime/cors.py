"""The origins that a backend has to accept: those from which browsers load its frontends."""

from __future__ import annotations

from collections.abc import Iterable

from devinit.model.service import Endpoint
from devinit.model.web_ports import without_usual_port


def origins(frontends: Iterable[Endpoint]) -> tuple[str, ...]:
    """Return each origin once, in the order of the frontends.

    A browser treats `localhost` and `127.0.0.1` as two origins, and users type either. The browser leaves out the
    default port of the scheme, and servers compare origins as text.
    """
    found = (without_usual_port(origin) for endpoint in frontends for origin in _origins_of(endpoint))
    return tuple(dict.fromkeys(found))


def _origins_of(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.origins or endpoint.port is None:
        return endpoint.origins
    return (f"http://localhost:{endpoint.port}", f"http://127.0.0.1:{endpoint.port}")
