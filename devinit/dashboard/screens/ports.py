"""The page with all ports of the project, their obstacles, and the ports of other projects on this machine."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from devinit.control.neighbours import port_rows
from devinit.dashboard.details import port_facts, port_heading
from devinit.dashboard.painting import content
from devinit.dashboard.port_table import Json, header, line, neighbour_lines
from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.screens.details import Ask
from devinit.dashboard.screens.entry import PortEntry
from devinit.dashboard.widgets.key_bar import KeyBar
from devinit.errors import DevinitError
from devinit.model.names import service_of
from devinit.model.phases import AT_REST
from devinit.model.port_words import ended_by, kill_text

ACTIONS = frozenset({"who", "choose", "move", "reset", "kill"})


class PortsPage(Screen[None]):
    """A page that shows the holder of each port, and the possible actions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,w", "who", "Who has it", key_display="w"),
        Binding("s", "choose", "Set"),
        Binding("m", "move", "Move"),
        Binding("r", "reset", "Reset"),
        Binding("k", "kill", "Kill"),
        Binding("escape,q", "app.pop_screen", "Back", key_display="Esc"),
    ]

    def __init__(self, ask: Ask, restart: Any) -> None:
        super().__init__()
        self._ask = ask
        self._restart = restart
        """Restarts services: `await restart([names])`. Any: a bound method of the application."""
        self.rows: list[Json] = []

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(content([(" Ports", "title")]), classes="page--title")
        yield Static(id="ports-header")
        yield OptionList(id="ports", markup=False)
        with Vertical(id="port-facts"):
            yield Static(id="facts")
        with VerticalScroll(id="neighbours"):
            yield Static(id="neighbour-lines")
        yield KeyBar()

    def on_mount(self) -> None:
        """Load the data."""
        self.query_one("#port-facts").display = False
        self.set_focus(self.query_one(OptionList))
        self.look()

    def on_resize(self) -> None:
        """Adapt to the new size."""
        self.look()

    def on_screen_resume(self) -> None:
        """Reload the data after a dialogue."""
        self.look()

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """Load and show the current data."""
        try:
            self.rows = await self._ask("ports", None)
        except DevinitError as error:
            self._complain(error)
            return
        if (options := self._list) is None:
            return
        here = options.highlighted or 0
        options.clear_options()
        self.query_one("#ports-header", Static).update(content(header(self.rows)))
        options.add_options(
            Option(content(line(row, self.rows, self.size.width)), id=row["service"]) for row in self.rows
        )
        options.highlighted = min(here, len(self.rows) - 1) if self.rows else None
        others = await asyncio.to_thread(port_rows)
        if self._list is None:
            return
        lines = [content(each) for each in neighbour_lines(others, self._own_root(), self.size.width - 3)]
        self.query_one("#neighbour-lines", Static).update(Content("\n").join(lines))

    @property
    def _list(self) -> OptionList | None:
        """The list of ports; None once the user has left the page, perhaps with a question or an order pending."""
        return next(iter(self.query(OptionList)), None)

    @property
    def row(self) -> Json | None:
        """The selected port."""
        here = self._list.highlighted if self._list else None
        return self.rows[here] if here is not None and here < len(self.rows) else None

    def on_option_list_option_highlighted(self) -> None:
        """Hide the facts, because another port is selected."""
        self.query_one("#port-facts").display = False

    def on_option_list_option_selected(self) -> None:
        """Show the holder on Enter or a click."""
        if not self._is_acting:
            self.action_who()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Block further actions until one ends: another would replace it, and act on another port."""
        del parameters
        return action not in ACTIONS or not self._is_acting

    @property
    def _is_acting(self) -> bool:
        """Whether an action is in progress, so that its question or message is still to come."""
        return any(
            each.group == "act" and each.node is self and not each.is_finished for each in self.workers
        )

    @work(exclusive=True, group="act")
    async def action_who(self) -> None:
        """Show the holder of the preferred port, or that it is free."""
        if (row := self.row) is None:
            return
        report = await self._report(row)
        if report is None:
            self._say(f"port {row['preferred_port']} is free")
            return
        if self._list is None:
            return
        lines = [[(port_heading(report), "strong")], [], *port_facts(report)]
        self.query_one("#facts", Static).update(Content("\n").join([content(each) for each in lines]))
        self.query_one("#port-facts").display = True

    def action_choose(self) -> None:
        """Ask for a port, and set it."""
        if (row := self.row) is None:
            return

        def take(port: int | None) -> None:
            if port is not None:
                self.choose(row, port)

        first, last = row["range"]
        # Not in a worker, so that keys typed after this one go to the question.
        self.app.push_screen(PortEntry(row["service"], row["port"], first, last), take)

    @work(exclusive=True, group="act")
    async def choose(self, row: Json, port: int) -> None:
        """Set the port of a service."""
        await self._choose(row, port)

    @work(exclusive=True, group="act")
    async def action_move(self) -> None:
        """Move the service to the next free port."""
        if (row := self.row) is not None:
            await self._choose(row, None)

    @work(exclusive=True, group="act")
    async def action_reset(self) -> None:
        """Reset the service to its preferred port."""
        if (row := self.row) is None:
            return
        try:
            await self._ask("forget_ports", {"services": [row["service"]]})
        except DevinitError as error:
            self._complain(error)
            return
        await self._offer_restart(row, row["preferred_port"])

    @work(exclusive=True, group="act")
    async def action_kill(self) -> None:
        """End the holder of the preferred port, after showing exactly which process that is."""
        if (row := self.row) is None:
            return
        port = row["preferred_port"]
        report = await self._report(row)
        if report is None:
            self._say(f"port {port} is free")
            return
        if not report["killable"]:
            self.action_who()
            self.notify(
                report["advice"],
                title=f"port {port} is {report['summary']}",
                severity="warning",
            )
            return
        consequence = kill_text(report["holders"], ended_by(dict(report)), 60)
        question = Confirm(port_heading(report), consequence, "Kill", is_late=True)
        if not await self.app.push_screen_wait(question):
            return
        try:
            holders = [each["identity"] for each in report["holders"]]
            freed = await self._ask("free_port", {"port": port, "holders": holders})
        except DevinitError as error:
            self._complain(error)
            return
        self._say(f"port {port} is free: ended {', '.join(freed['ended'])}")
        self.look()

    async def _choose(self, row: Json, port: int | None) -> None:
        try:
            chosen = await self._ask("choose_port", {"service": row["service"], "port": port})
        except DevinitError as error:
            self._complain(error)
            return
        await self._offer_restart(row, chosen["port"])

    async def _offer_restart(self, row: Json, port: int) -> None:
        """Report the port of the next start, and offer a restart if the service runs."""
        service = service_of(row["service"])
        if row["phase"] in AT_REST or port == row["port"]:
            self._say(f"{row['service']} will use {port}")
            self.look()
            return
        question = Confirm(
            f"Restart {service} on port {port} now?", "Otherwise its next start uses it.", "Restart"
        )
        if await self.app.push_screen_wait(question):
            await self._restart([service])
        self.look()

    async def _report(self, row: Json) -> Json | None:
        try:
            report: Json | None = await self._ask("who", {"port": row["preferred_port"]})
        except DevinitError as error:
            self._complain(error)
            return None
        return report

    def _own_root(self) -> str:
        return str(getattr(self.app, "root", ""))

    def _say(self, text: str) -> None:
        self.notify(text, timeout=4)

    def _complain(self, error: DevinitError) -> None:
        self.notify(error.hint or "", title=error.message, severity="error", timeout=10)
