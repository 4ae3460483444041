"""Which services have web pages, as `status` reports it. Light: `status` itself loads it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.model.status import ServiceStatus


def has_pages(service: ServiceStatus) -> bool:
    """Return whether a service speaks HTTP, so that its URL holds no password and opens in a browser."""
    # A supervisor of version 0.1 does not say so: it knows processes, postgres and redis.
    return service.get("has_pages", service["provider"] == "process")
