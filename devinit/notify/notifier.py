"""What a notifier is: it passes on where the services of a project answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from devinit.model.service import Endpoint, Project

if TYPE_CHECKING:
    import asyncio  # commands read what a notifier has written, and have no loop


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a notifier works with, for as long as its supervisor lives."""

    root: Path
    """The project's folder."""
    state: Path
    """The state folder of the checkout."""
    tasks: asyncio.TaskGroup
    """In which it may do its work, so that no service waits for it."""
    note: Callable[[str], None]
    """Shows a sentence to the developer."""


class Address(Struct, frozen=True, kw_only=True):
    """Where a service that is ready answers."""

    endpoint: Endpoint
    """It has a port."""
    process_id: int
    """The process that listens; 0 where it is not known."""


class Notifier(Protocol):
    """Passes on where services answer. It raises nothing: what it cannot pass on, it notes."""

    def __init__(self, surroundings: Surroundings) -> None:
        """Pass nothing on yet."""

    def ready(self, address: Address, project: Project) -> None:
        """Pass on where a service answers from now on. A service that has moved is `gone` first."""
        ...

    def gone(self, name: str) -> None:
        """Pass on that a service does not answer there any more. It may not have been ready."""
        ...

    def renew(self) -> None:
        """Pass on once more what is so: somewhere it may have been lost."""
        ...

    def leave(self) -> None:
        """Do no more, and withdraw nothing: the services go on without this supervisor."""
        ...
