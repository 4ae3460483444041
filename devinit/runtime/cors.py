"""The origins that a backend has to accept: those under which its frontends are loaded."""

from __future__ import annotations

from collections.abc import Iterable

from devinit.model.service import Endpoint


def origins(frontends: Iterable[Endpoint]) -> tuple[str, ...]:
    """Return each origin once, in the order of the frontends.

    A browser treats `localhost` and `127.0.0.1` as two origins, and people type either.
    """
    return tuple(dict.fromkeys(origin for endpoint in frontends for origin in _origins_of(endpoint)))


def _origins_of(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.origins or endpoint.port is None:
        return endpoint.origins
    return (f"http://localhost:{endpoint.port}", f"http://127.0.0.1:{endpoint.port}")
