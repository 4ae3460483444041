"""What is said while the configuration of a running project cannot be read, by commands and by the dashboard."""

from __future__ import annotations


def still_as_before(error: str) -> str:
    """Return an error of the configuration with its consequence for running services."""
    return f"{error}; the services run as they were configured before"
