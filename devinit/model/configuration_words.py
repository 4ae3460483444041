"""The message of commands and dashboard while the configuration of a running project cannot be read."""

from __future__ import annotations


def still_as_before(error: str) -> str:
    """Return an error in the configuration, with its consequence for running services."""
    return f"{error}; the services run as they were configured before"
