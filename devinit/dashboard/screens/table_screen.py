"""The keys of the table: filter, order, and marks for the next order."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace
from textual.widgets import Static

from devinit.dashboard.arranging import ORDERS, Arrangement, arranged, groups
from devinit.dashboard.graph import blocker
from devinit.dashboard.lines.store import Store
from devinit.dashboard.opening import Opener
from devinit.dashboard.painting import content
from devinit.dashboard.screens.line_screen import LineScreen
from devinit.dashboard.usage_line import usage_line
from devinit.model.status import Phase

ROOM_FOR_USAGE = 30
"""The minimum number of terminal lines for the usage line."""


class TableScreen(LineScreen):
    """A screen with a table that the user can arrange."""

    def __init__(self, store: Store, clock: Callable[[], float], opener: Opener) -> None:
        super().__init__(store, clock, opener)
        self.arrangement = Arrangement()

    def say_headline(self) -> None:
        """Show the differences from the default display."""

    def look_at_the_chosen(self) -> None:
        """Show the lines of the selected service."""

    def arrange_services(self) -> None:
        """Show the selected services in the chosen order."""
        self.table.marked = self.table.marked.intersection(self.stack_of_services.services)
        self.table.groups = groups(self.stack_of_services, self.arrangement)
        self.table.stack = arranged(self.stack_of_services, self.arrangement)
        self.say_headline()
        self.say_usage()

    def say_usage(self) -> None:
        """Show the usage of the selected service, if there is room."""
        said = usage_line(self.selected, self.size.width) if self.size.height >= ROOM_FOR_USAGE else []
        line = self.query_one("#usage", Static)
        if said:
            line.update(content(said))
        line.display = bool(said)

    @property
    def marked(self) -> list[str]:
        """The marked services, in the order of the configuration."""
        return [name for name in self.stack_of_services.services if name in self.table.marked]

    def action_mark(self) -> None:
        """Toggle the mark of the selected service, and select the next one."""
        if (name := self.table.selected) is not None:
            self.table.marked = self.table.marked.symmetric_difference((name,))
            self.arrange_services()
            self.table.cursor += 1
            self.refresh_bindings()

    def action_unmark(self) -> None:
        """Remove all marks."""
        self.table.marked = frozenset()
        self.arrange_services()
        self.refresh_bindings()

    def action_order(self) -> None:
        """Switch to the next order of services."""
        self.arrangement = self.arrangement.next_order()
        self.arrange_services()
        self.notify(f"services {ORDERS[self.arrangement.order]}", timeout=2)

    def action_services(self) -> None:
        """Ask for a pattern of services to show."""
        pattern = self.arrangement.pattern
        self._ask("services", pattern.pattern if pattern is not None else "", "empty shows all")

    def choose_services(self, pattern: re.Pattern[str] | None) -> None:
        """Show only services whose names match a pattern."""
        if pattern is not None and not any(map(pattern.search, self.stack_of_services.services)):
            self.notify(f"no service matches {pattern.pattern}", timeout=3)
            return
        self.arrangement = replace(self.arrangement, pattern=pattern)
        self.arrange_services()

    def action_go_to_blocker(self) -> None:
        """Select the service that the selected one waits for."""
        view = self.selected
        name = blocker(view, self.stack_of_services.services) if view is not None else None
        if view is None or view.phase != Phase.WAITING or name is None:
            self.notify(f"{view.name if view is not None else 'nothing'} waits for no service", timeout=3)
            return
        if name not in self.table.stack.services:
            self.arrangement = replace(self.arrangement, pattern=None)
            self.arrange_services()
        self.table.select(name)
        self.look_at_the_chosen()
