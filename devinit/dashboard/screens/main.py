"""The main screen: the table of services, and their logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Static

from devinit.dashboard.browser import has_browser
from devinit.dashboard.keys import KEYS, Key, is_offered, ranks
from devinit.dashboard.lines.store import Store
from devinit.dashboard.opening import Opener
from devinit.dashboard.ordered import BRINGS_UP, Given, Ordered
from devinit.dashboard.painting import content
from devinit.dashboard.presentation import Piece, headline
from devinit.dashboard.refusals import called_for, refusal, refusal_for_all
from devinit.dashboard.screens.table_screen import TableScreen
from devinit.dashboard.starting import Start, start_line
from devinit.dashboard.state import LinkState, Stack, is_everything_at_rest
from devinit.dashboard.widgets.input_lines import PatternLine, TypeLine
from devinit.dashboard.widgets.key_bar import KeyBar
from devinit.dashboard.widgets.log_pane import LogPane
from devinit.dashboard.widgets.services import ServiceTable
from devinit.model.status import Phase

ACTIONS = frozenset(key.action for key in KEYS)


class MainScreen(TableScreen):
    """The table of services above the log."""

    AUTO_FOCUS = "#services"

    @dataclass
    class Order(Message):
        """The user wants services started, stopped or restarted."""

        given: Given
        changed: bool = False

    @dataclass
    class Wanted(Message):
        """The user wants an action that belongs to the application, not to this screen."""

        what: str
        service: str | None = None

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        ordered: Ordered,
        opener: Opener,
        keys: Sequence[Key] = KEYS,
    ) -> None:
        super().__init__(store, clock, opener)
        self._keys = keys
        for key in keys:
            shown = key.display or None
            self._bindings.bind(key.key, key.action, key.label, show=is_offered(key), key_display=shown)
        self._ordered = ordered
        self.line = LinkState.SOUGHT
        self.start: Start | None = None
        """The start that opened the dashboard."""
        self._leads = False
        """Whether the lines of all services are shown only because the user has not selected one yet."""

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="headline")
        yield Static(id="banner")
        yield Static(id="start")
        yield ServiceTable(self._clock)
        yield Static(id="usage")
        yield Static(id="log-title")
        yield LogPane(self.opener.leads_somewhere)
        yield PatternLine()
        yield TypeLine()
        yield KeyBar(self.ranks)

    # Display

    def on_mount(self) -> None:
        """Hide the optional parts, and start the clock of the durations."""
        self.query_one("#prompt").display = False
        self.query_one("#banner").display = False
        self.query_one("#usage").display = False
        self.say_start()
        self.set_interval(1, self.let_time_pass)
        self.say_title()

    def show_stack(self, stack: Stack, line: LinkState) -> None:
        """Show a new state of the stack."""
        names_before = tuple(self.stack_of_services.services)
        self.stack_of_services, self.line = stack, line
        self.say_headline()
        self.say_start()
        self.arrange_services()
        self.query_one(TypeLine).ask({view.name: view.prompt_kind for view in stack.services.values()})
        if tuple(stack.services) != names_before:
            self.show_logs()
        self.refresh_bindings()

    def say_headline(self) -> None:
        """Update the headline: the project and its condition."""
        # A start shows its own progress.
        line = LinkState.HELD if self.line is LinkState.SOUGHT and self.start is not None else self.line
        marked = len(self.table.marked)
        aside = ", ".join(filter(None, (f"{marked} marked" if marked else "", self.arrangement.said)))
        pieces = headline(self.stack_of_services, self.size.width, line, aside)
        self.query_one("#headline", Static).update(content(pieces))

    def let_time_pass(self) -> None:
        """Update the durations on the screen."""
        self.table.compose_lines()
        self.say_start()

    def say_start(self) -> None:
        """Update the progress or the outcome of the start that opened the dashboard."""
        said = start_line(self.start, self.stack_of_services, self._clock(), self.size.width)
        line = self.query_one("#start", Static)
        if said:
            line.update(content(said))
        line.display = bool(said)

    def show_all_by_itself(self) -> None:
        """Show the lines of all services until the user selects one, or one fails."""
        self._leads = self.all_logs = True

    def look_at_by_itself(self, service: str) -> None:
        """Show the lines of a failed service, if the user has not selected one yet."""
        if self._leads:
            self._leads = self.all_logs = False
            self.table.select(service)
            self.show_logs()

    @on(ServiceTable.Chosen)
    def look_at_the_chosen(self) -> None:
        """Show the lines of the service that the user has selected."""
        if self._leads:
            self._leads = self.all_logs = False
            self.show_logs()

    def action_all(self) -> None:
        """Show the lines of every service, or only those of the selected one."""
        self._leads = False
        super().action_all()

    def show_banner(self, said: list[Piece]) -> None:
        """Show a problem that blocks everything else; the banner cannot be dismissed."""
        banner = self.query_one("#banner", Static)
        banner.update(content(said))
        banner.display = bool(said)

    def on_resize(self) -> None:
        """Fit the texts to the new size."""
        self.say_headline()
        self.say_start()
        self.say_usage()
        self.say_title()

    @on(ServiceTable.Selected)
    def look_at_service(self) -> None:
        """Show the lines and the usage of the selected service."""
        if not self.all_logs and self.log_pane.view.service != self.table.selected:
            self.log_pane.following = True
            self.show_logs()
        self.say_usage()
        self.refresh_bindings()

    # Keys that are available

    def ranks(self) -> dict[str, int]:
        """Return the rank of each key in the key bar at present."""
        calls_for = called_for(self.selected) if self.is_mounted else {}
        return ranks(all_rest=is_everything_at_rest(self.stack_of_services), counts_now=calls_for)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action makes sense at present; keys of others are hidden."""
        if isinstance(self.focused, PatternLine | TypeLine) and action in ACTIONS:
            return False  # keys are text input
        view = self.selected if self.is_mounted else None
        ordered = self._ordered.last(view.name) if view is not None else ""
        is_ending = view is not None and view.phase == Phase.STOPPING and ordered not in BRINGS_UP
        match action:
            case "start" | "stop" | "restart" if self.table.marked and self.is_mounted:
                marked = [self.stack_of_services.services[name] for name in self.marked]
                return any(not refusal(action, each, self._ordered.last(each.name)) for each in marked)
            case "stop":
                return not refusal("stop", view, ordered) and not is_ending
            case "end_now":
                return is_ending
            case "start" | "restart" | "open_url" | "copy_url":
                return not refusal(action, view, ordered)
            case "start_all" | "stop_all" | "restart_all":
                return not refusal_for_all(action, self.stack_of_services, self._ordered.methods())
            case "revive":
                return self.line is LinkState.CUT
            case "go_to_blocker":
                return view is not None and view.phase == Phase.WAITING
            case "unmark":
                return self.is_mounted and bool(self.table.marked)
        return True

    def say_why_not(self, pressed: events.Key) -> None:
        """Show why a key does nothing, when its action makes no sense at present."""
        key = next((each for each in self._keys if each.key in (pressed.key, pressed.character)), None)
        if key is None or self.check_action(key.action, ()):
            return
        view = self.selected
        ordered = self._ordered.last(view.name) if view is not None else ""
        whole = refusal_for_all(key.action, self.stack_of_services, self._ordered.methods())
        if said := whole or refusal(key.action, view, ordered):
            self.notify(said, timeout=3)

    # Services

    def action_start(self) -> None:
        """Start the marked services, or the selected one."""
        self._order("start")

    def action_stop(self) -> None:
        """Stop the marked services, or the selected one."""
        self._order("stop")

    def action_end_now(self) -> None:
        """Kill the selected service without a grace period, after confirmation."""
        self._want("end_now")

    def action_restart(self) -> None:
        """Restart the marked services, or the selected one."""
        self._order("restart")

    def action_start_all(self) -> None:
        """Start everything."""
        self._give("start", [])

    def action_stop_all(self) -> None:
        """Stop everything, after confirmation."""
        self.post_message(self.Wanted("stop_all"))

    def action_restart_all(self) -> None:
        """Restart everything."""
        self._give("restart", [])

    def action_restart_changed(self) -> None:
        """Restart the services whose configuration has changed since they started."""
        self._give("restart", [], changed=True)

    def action_graph(self) -> None:
        """Show the graph of dependencies."""
        self._want("graph")

    def _order(self, method: str) -> None:
        if self.marked:
            self._give(method, self.marked)
        elif self.selected is not None:
            self._give(method, [self.selected.name])

    def _give(self, method: str, services: list[str], *, changed: bool = False) -> None:
        # Recorded here, not where it is sent: the next key may already be in the queue.
        self.post_message(self.Order(self._ordered.add(method, services), changed))
        self.refresh_bindings()

    @on(ServiceTable.LinkClicked)
    def action_open_url(self) -> None:
        """Open the service in a browser."""
        if said := refusal("open_url", self.selected):
            self.notify(said, timeout=3)  # clicked
        elif self.selected is not None and self.selected.url is not None:
            if self.app.is_web or has_browser():
                self.app.open_url(self.selected.url)
            else:
                self.notify("no browser was found: u copies the URL")

    def action_copy_url(self) -> None:
        """Copy the URL of the selected service."""
        if self.selected is not None and self.selected.url is not None:
            self.app.copy_to_clipboard(self.selected.url)
            self.notify("URL copied")

    @on(ServiceTable.Opened)
    def action_details(self) -> None:
        """Explain the service."""
        self._want("details")

    def type_into(self, service: str) -> None:
        """Open the line for typing into a service, below its log."""
        self._leads = self.all_logs = False
        self.table.select(service)
        self.log_pane.following = True
        self.show_logs()
        self.query_one(TypeLine).type_into(service)

    @on(TypeLine.Closed)
    def go_back_to_services(self) -> None:
        """Return the focus to the table, or to the logs when the table is hidden."""
        self.set_focus(self.table if self.table.display else self.log_pane)

    def action_attach(self) -> None:
        """Type into the service."""
        if said := refusal("attach", self.selected):
            self.notify(said, timeout=3)
        else:
            self._want("attach")

    @on(ServiceTable.Entered)
    def action_enter(self) -> None:
        """Type into the service; show the details of one that accepts no input."""
        if refusal("attach", self.selected):
            self._want("details")
        else:
            self._want("attach")

    def action_ports(self) -> None:
        """Show the ports."""
        self._want("ports")

    def action_environment(self) -> None:
        """Show the runtime environment."""
        self._want("environment")

    async def act(self, action: str) -> None:
        """Run the action of a key."""
        await self.run_action(action)

    def action_tasks(self) -> None:
        """Open the list of tasks."""
        self._want("tasks")

    def action_help(self) -> None:
        """Show every key."""
        self._want("help")

    def action_theme(self) -> None:
        """Switch between the dark and the light theme."""
        self._want("theme")

    def action_revive(self) -> None:
        """Start a supervisor."""
        self._want("revive")

    def action_leave(self) -> None:
        """Exit, and leave the services running."""
        self._want("leave")

    def action_stop_and_leave(self) -> None:
        """Stop everything and exit, after confirmation."""
        self._want("stop_and_leave")

    def action_stream(self) -> None:
        """Show the log lines as plain text, without the dashboard."""
        self.post_message(self.Wanted("stream", self.log_pane.view.service))

    def _want(self, what: str) -> None:
        self.post_message(self.Wanted(what, self.table.selected))
