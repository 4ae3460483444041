"""Stops that need a confirmation: of everything, or at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from textual.app import App
from textual.worker import Worker

from devinit.dashboard.ordered import BRINGS_UP, Given, Ordered
from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.state import Stack
from devinit.model.status import Phase

WITHOUT_GRACE = "No grace: KILL, for PostgreSQL QUIT. What was not written is lost."
Order: TypeAlias = Callable[[Given, dict[str, Any]], Awaitable[bool]]
"""Carries out an order; returns False if it failed."""


class Stops:
    """The confirmations of stops, and the orders that follow."""

    def __init__(self, app: App[str], ordered: Ordered, stack: Callable[[], Stack], order: Order) -> None:
        self._app, self._ordered, self._stack, self._order = app, ordered, stack, order
        self._all: Worker[None] | None = None
        """The worker of the last stop of everything."""

    def end_now(self, service: str) -> None:
        """Ask for confirmation, and kill a service that is slow to stop."""

        def take(is_meant: bool | None) -> None:
            if is_meant and self._stack().services[service].phase == Phase.STOPPING:
                given = self._ordered.add("stop", [service])
                self._app.run_worker(partial(self._order, given, {"force": True}))

        self._app.push_screen(Confirm(f"End {service} at once?", WITHOUT_GRACE, "End now"), take)

    def stop_all(self, leave: Callable[[], None] | None = None) -> None:
        """Ask, and stop every service, or kill the rest in a stop that is in progress; then `leave`, if given."""
        views = self._stack().services.values()
        coming = [view for view in views if self._ordered.last(view.name) in BRINGS_UP]
        left = [view for view in views if view.pid is not None or view in coming]
        if not left:
            if leave is not None:
                leave()
            return
        goes_on = self._all is not None and self._all.is_running
        force = not coming and (goes_on or all(view.phase == Phase.STOPPING for view in left))
        self._ask([view.name for view in left], leaves=leave is not None, force=force)

    def _ask(self, names: list[str], *, leaves: bool, force: bool) -> None:
        """Ask for confirmation, and stop every service."""
        listed = ", ".join(names)
        question = "End at once what is left" if force else "Stop everything"
        consequence = f"{listed}. {WITHOUT_GRACE}" if force else f"{listed} end, dependants first."
        ask = Confirm(
            f"{question}{' and leave' if leaves else ''}?", consequence, "End now" if force else "Stop"
        )

        def take(is_meant: bool | None) -> None:
            if is_meant:
                said = f"stopped {listed}" if leaves else None
                given = self._ordered.add("stop", [])
                self._all = self._app.run_worker(self._stop_everything(given, said, force=force))

        self._app.push_screen(ask, take)

    async def _stop_everything(self, given: Given, said: str | None, *, force: bool) -> None:
        """Stop every service, and leave with a message if there is one."""
        if await self._order(given, {"force": force}) and said is not None:
            self._app.exit(said)
