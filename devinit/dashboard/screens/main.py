"""The main screen: the services, and what they print."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from devinit.dashboard.keys import KEYS
from devinit.dashboard.lines.line import LogLine
from devinit.dashboard.lines.store import Store
from devinit.dashboard.painting import content
from devinit.dashboard.presentation import headline
from devinit.dashboard.state import ALIVE, AT_REST, Stack, View
from devinit.dashboard.widgets.log_pane import LogPane
from devinit.dashboard.widgets.services import ServiceTable


class MainScreen(Screen[None]):
    """The table of services above the log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, key.action, key.label, show=key.footer, key_display=key.display or None)
        for key in KEYS
    ]
    AUTO_FOCUS = "#services"

    @dataclass
    class Order(Message):
        """Somebody wants services started, stopped or restarted."""

        method: str
        services: list[str]
        changed: bool = False

    @dataclass
    class Wanted(Message):
        """Somebody wants something that is not on this screen: an action of the application."""

        what: str
        service: str | None = None

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.store = store
        self.stack_of_services = Stack()
        self.connected = False
        self.all_logs = False
        self._asking = ""
        """What the input line is asked for: search or filter."""

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="headline")
        yield Static(id="banner")
        yield ServiceTable(self._clock)
        yield Static(id="log-title")
        yield LogPane()
        yield Input(id="prompt", select_on_focus=False)
        yield Footer(show_command_palette=False, compact=True)

    @property
    def table(self) -> ServiceTable:
        """The table of services."""
        return self.query_one(ServiceTable)

    @property
    def log_pane(self) -> LogPane:
        """The logs."""
        return self.query_one(LogPane)

    @property
    def selected(self) -> View | None:
        """The service that is looked at."""
        return self.stack_of_services.services.get(self.table.selected or "")

    # What is shown

    def on_mount(self) -> None:
        """Let time pass."""
        self.query_one("#prompt").display = False
        self.query_one("#banner").display = False
        self.set_interval(1, self.table.compose_lines)
        self.say_title()

    def show_stack(self, stack: Stack, *, connected: bool) -> None:
        """Show another state of affairs."""
        names_before = tuple(self.stack_of_services.services)
        self.stack_of_services, self.connected = stack, connected
        self.say_headline()
        self.table.stack = stack
        if tuple(stack.services) != names_before:
            self.show_logs()
        self.refresh_bindings()

    def say_headline(self) -> None:
        """Say which project this is, and how it is."""
        pieces = headline(self.stack_of_services, self.size.width, connected=self.connected)
        self.query_one("#headline", Static).update(content(pieces))

    def show_banner(self, text: str) -> None:
        """Say what stands in the way of everything else; nothing takes it away."""
        banner = self.query_one("#banner", Static)
        banner.update(text)
        banner.display = bool(text)

    def show_logs(self) -> None:
        """Show the logs of whoever is looked at."""
        service = None if self.all_logs else self.table.selected
        self.log_pane.show(self.store.of(service), service, tuple(self.stack_of_services.services))
        self.say_title()

    def add_lines(self, lines: Sequence[LogLine]) -> None:
        """Show what has been printed since."""
        # While everything is taken down, lines still come; then there is no pane any more.
        for pane in self.query(LogPane):
            pane.add(lines, self.store.dropped.get(pane.view.service or "", 0))

    @on(LogPane.Changed)
    def say_title(self) -> None:
        """Say whose lines these are, and which of them."""
        pane = self.log_pane
        service = pane.view.service or ("all services" if self.all_logs else "")
        pieces = [("─ ", "dim"), (service or "logs", "title"), (" ", "")]
        states = [("following", "good")] if pane.following else [("paused, Esc follows", "attention")]
        if pane.view.filter is not None:
            states.append((f"filter {pane.view.filter.pattern}", "accent"))
        if pane.search is not None:
            states.append((f"search {pane.search.pattern}", "accent"))
        if pane.wrap:
            states.append(("wrapped", "dim"))
        for text, style in states:
            pieces += [("· ", "dim"), (text + " ", style)]
        used = sum(len(text) for text, _ in pieces)
        count = f" {len(pane.view.rows):,} lines " if not pane.wrap else " "
        pieces += [("─" * max(0, self.size.width - used - len(count) - 1) + count + "─", "dim")]
        self.query_one("#log-title", Static).update(content(pieces))

    def on_resize(self) -> None:
        """Use the room that there is now."""
        self.say_headline()
        self.say_title()

    @on(ServiceTable.Selected)
    def look_at_service(self) -> None:
        """Show the lines of the service that is looked at."""
        if not self.all_logs and self.log_pane.view.service != self.table.selected:
            self.log_pane.following = True
            self.show_logs()
        self.refresh_bindings()

    # Which keys count now

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what makes no sense for the service that is looked at."""
        view = self.selected if self.is_mounted else None
        match action:
            case "start":
                return view is not None and view.phase in AT_REST
            case "stop":
                return view is not None and view.phase in ALIVE | {"waiting"}
            case "restart":
                return view is not None and view.phase in ALIVE
            case "open_url":
                return view is not None and view.phase in ALIVE and (view.url or "").startswith("http")
            case "copy_url":
                return view is not None and view.url is not None
            case "revive":
                return not self.connected
        return True

    # Services

    def action_start(self) -> None:
        """Start the service that is looked at."""
        self._order("start")

    def action_stop(self) -> None:
        """Stop it."""
        self._order("stop")

    def action_restart(self) -> None:
        """Restart it."""
        self._order("restart")

    def action_start_all(self) -> None:
        """Start everything."""
        self.post_message(self.Order("start", []))

    def action_stop_all(self) -> None:
        """Stop everything, if that is meant."""
        self.post_message(self.Wanted("stop_all"))

    def action_restart_all(self) -> None:
        """Restart everything."""
        self.post_message(self.Order("restart", []))

    def action_restart_changed(self) -> None:
        """Restart what is older than its configuration."""
        self.post_message(self.Order("restart", [], changed=True))

    def _order(self, method: str) -> None:
        if self.selected is not None:
            self.post_message(self.Order(method, [self.selected.name]))

    @on(ServiceTable.LinkClicked)
    def action_open_url(self) -> None:
        """Open the service in a browser."""
        if self.selected is not None and self.selected.url is not None:
            self.app.open_url(self.selected.url)

    def action_copy_url(self) -> None:
        """Copy where the service is."""
        if self.selected is not None and self.selected.url is not None:
            self.app.copy_to_clipboard(self.selected.url)
            self.notify("URL copied")

    @on(ServiceTable.Opened)
    def action_details(self) -> None:
        """Explain the service."""
        self._want("details")

    def action_ports(self) -> None:
        """Show the ports."""
        self._want("ports")

    def action_environment(self) -> None:
        """Show the runtime environment."""
        self._want("environment")

    def action_help(self) -> None:
        """Show every key."""
        self._want("help")

    def action_theme(self) -> None:
        """Switch the light on or off."""
        self._want("theme")

    def action_revive(self) -> None:
        """Start a supervisor."""
        self._want("revive")

    def action_leave(self) -> None:
        """Leave, and let everything run."""
        self._want("leave")

    def action_stop_and_leave(self) -> None:
        """Stop everything and leave, if that is meant."""
        self._want("stop_and_leave")

    def action_stream(self) -> None:
        """Show the lines without frames."""
        self.post_message(self.Wanted("stream", self.log_pane.view.service))

    def _want(self, what: str) -> None:
        self.post_message(self.Wanted(what, self.table.selected))

    # Logs

    def action_all(self) -> None:
        """Show everybody's lines, or only those of the one that is looked at."""
        self.all_logs = not self.all_logs
        self.log_pane.following = True
        self.show_logs()

    def action_pause(self) -> None:
        """Stop following, or follow again."""
        self.log_pane.following = not self.log_pane.following

    def action_wrap(self) -> None:
        """Break long lines, or do not."""
        self.log_pane.wrap = not self.log_pane.wrap

    def action_timestamps(self) -> None:
        """Show when lines were seen, or do not."""
        self.log_pane.timestamps = not self.log_pane.timestamps

    def action_zoom(self) -> None:
        """Give the logs the whole screen, or give it back."""
        self.table.display = not self.table.display
        (self.table if self.table.display else self.log_pane).focus()

    def action_clear(self) -> None:
        """Forget the lines that are shown."""
        self.store.clear(self.log_pane.view.service)
        self.show_logs()

    def action_copy(self) -> None:
        """Copy the selection, or a line."""
        text = self.get_selected_text() or self.log_pane.line_text()
        if text:
            self._copy(text)

    def on_text_selected(self) -> None:
        """Copy what has just been selected: everybody expects that it is."""
        text = self.get_selected_text()
        if text and text.strip():
            self._copy(text)

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.notify("line copied" if lines == 1 else f"{lines} lines copied", timeout=2)

    def action_scroll_log(self, where: str) -> None:
        """Scroll the logs, wherever the focus is."""
        pane = self.log_pane
        match where:
            case "page_up":
                pane.following = False
                pane.scroll_page_up(animate=False)
            case "page_down":
                pane.scroll_page_down(animate=False)
            case "home":
                pane.following = False
                pane.scroll_home(animate=False)
            case "end":
                pane.following = True

    def action_next_error(self) -> None:
        """Go to the next error of any service."""
        self._go_to_error(1)

    def action_previous_error(self) -> None:
        """Go to the error before."""
        self._go_to_error(-1)

    def _go_to_error(self, step: int) -> None:
        problems = list(self.store.problems())
        if not problems:
            self.notify("no errors in what is kept", timeout=3)
            return
        here = self.log_pane.cursor
        if here is None:
            # While the end is followed, the first one to look at is the latest.
            line = problems[-1]
        elif step > 0:
            line = next((each for each in problems if each.number > here), problems[0])
        else:
            line = next((each for each in reversed(problems) if each.number < here), problems[-1])
        self.go_to(line)
        self.notify(f"error {problems.index(line) + 1} of {len(problems)}, {line.service}", timeout=2)

    def go_to(self, line: LogLine) -> None:
        """Show a line, whichever service it is of."""
        pane = self.log_pane
        if not self.all_logs and pane.view.service != line.service:
            self.table.select(line.service)
            self.show_logs()
        if not pane.look_at(line.number) and pane.view.filter is not None:
            pane.set_filter(None)
            self.show_logs()
            pane.look_at(line.number)

    def action_next_match(self) -> None:
        """Go to the next match."""
        self._find(1)

    def action_previous_match(self) -> None:
        """Go to the match before."""
        self._find(-1)

    def _find(self, step: int) -> None:
        if self.log_pane.search is None:
            self.action_search()
        elif not self.log_pane.find(step):
            self.notify(f"no line matches {self.log_pane.search.pattern}", timeout=3)

    def action_search(self) -> None:
        """Ask what to search for."""
        self._ask("search", self.log_pane.search)

    def action_filter(self) -> None:
        """Ask what to show only."""
        self._ask("filter", self.log_pane.view.filter)

    def _ask(self, what: str, pattern: re.Pattern[str] | None) -> None:
        self._asking = what
        prompt = self.query_one("#prompt", Input)
        prompt.value = pattern.pattern if pattern is not None else ""
        prompt.placeholder = f"{what} by regular expression; Enter to take it, Esc to leave it"
        prompt.border_title = what
        prompt.display = True
        prompt.focus()

    @on(Input.Changed, "#prompt")
    def preview(self, event: Input.Changed) -> None:
        """Show what a pattern would find while it is typed."""
        event.input.set_class(pattern_of(event.value) is None and bool(event.value), "-wrong")

    @on(Input.Submitted, "#prompt")
    def take_pattern(self, event: Input.Submitted) -> None:
        """Search or filter."""
        pattern = pattern_of(event.value)
        if pattern is None and event.value:
            self.notify(f"{event.value} is not a regular expression", severity="error", timeout=4)
            return
        self.close_prompt()
        if self._asking == "filter":
            self.log_pane.set_filter(pattern)
            self.show_logs()
        else:
            self.log_pane.search = pattern
            self.log_pane.refresh()
            if pattern is not None:
                self._find(-1)
        self.say_title()

    def close_prompt(self) -> None:
        """Take the input line away."""
        self.query_one("#prompt").display = False
        (self.table if self.table.display else self.log_pane).focus()

    def key_escape(self) -> None:
        """Leave the input line, or go back to the end of the logs."""
        if self.query_one("#prompt").display:
            self.close_prompt()
        else:
            self.log_pane.following = True


def pattern_of(text: str) -> re.Pattern[str] | None:
    """Return a regular expression that ignores case unless it has capitals; None when it is none."""
    if not text:
        return None
    try:
        return re.compile(text, 0 if any(map(str.isupper, text)) else re.IGNORECASE)
    except re.error:
        return None
