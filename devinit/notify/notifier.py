"""The interface of a notifier, which publishes where the services of a project answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from devinit.model.service import Endpoint, Project

if TYPE_CHECKING:
    import asyncio  # commands read what a notifier has written, and have no loop


class Surroundings(Struct, frozen=True, kw_only=True):
    """The environment of a notifier, for the lifetime of its supervisor."""

    root: Path
    """The project's folder."""
    state: Path
    """The state folder of the checkout."""
    tasks: asyncio.TaskGroup
    """The task group for its work, so that no service waits for it."""
    note: Callable[[str], None]
    """Shows a sentence to the developer."""


class Address(Struct, frozen=True, kw_only=True):
    """The address of a service that is ready."""

    endpoint: Endpoint
    """It has a port."""
    process_id: int
    """The process that listens; 0 when it is unknown."""


class Notifier(Protocol):
    """Publishes where services answer. It raises no errors: it notes what it cannot publish."""

    def __init__(self, surroundings: Surroundings) -> None:
        """Prepare without publishing anything."""

    def ready(self, address: Address, project: Project) -> None:
        """Publish where a service answers from now on. A service that moves is `gone` first."""
        ...

    def gone(self, name: str) -> None:
        """Publish that a service no longer answers there. It may never have been ready."""
        ...

    def renew(self) -> None:
        """Publish the current state again: it may have been lost."""
        ...

    def leave(self) -> None:
        """Stop without withdrawing anything: the services continue without this supervisor."""
        ...
