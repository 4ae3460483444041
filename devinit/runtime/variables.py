"""How a service's variables are called. Apart from what they say, for programs that load little."""

from __future__ import annotations


def variable_prefix(service: str) -> str:
    """Return what a service's names begin with: `my-api` → `MY_API`."""
    return service.upper().replace("-", "_").replace(".", "_")
