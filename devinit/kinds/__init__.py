"""The kinds of services, one folder each: what a kind is (`kind.py`), and how it is run (`provider.py`).

This table is all that the rest of devinit knows of them. How they are run is in `kinds.providers`, which only the
supervisor loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.kinds.kind import Kind
from devinit.kinds.postgres.kind import POSTGRES
from devinit.kinds.process.kind import PROCESS
from devinit.kinds.redis.kind import REDIS

if TYPE_CHECKING:
    from devinit.model.service import Service

KINDS: dict[str, Kind] = {kind.name: kind for kind in (PROCESS, POSTGRES, REDIS)}

__all__ = ["KINDS", "Kind", "kind_of"]


def kind_of(service: Service) -> Kind:
    """Return what kind of service it is."""
    return KINDS[service.provider]
