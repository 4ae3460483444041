"""Whether services have web pages, according to `status`. Light: `status` itself loads this module."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.model.status import ServiceStatus


def has_pages(service: ServiceStatus) -> bool:
    """Return whether a service speaks HTTP, so that its URL contains no password and opens in a browser."""
    # A supervisor of version 0.1 does not report it; its providers are process, postgres and redis.
    return service.get("has_pages", service["provider"] == "process")
