"""The base of the screens with logs: the actions that filter, search, scroll and copy lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from textual import on
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input, Static

from devinit.dashboard.asked import History
from devinit.dashboard.lines.choice import Choice
from devinit.dashboard.lines.line import LogLine
from devinit.dashboard.lines.store import Store
from devinit.dashboard.log_title import EVERYONE, FOLLOWING, PAUSED, log_title
from devinit.dashboard.painting import content
from devinit.dashboard.state import Stack, View
from devinit.dashboard.widgets.input_lines import PatternLine
from devinit.dashboard.widgets.log_pane import LogPane
from devinit.dashboard.widgets.services import ServiceTable
from devinit.text import counted


class Looked(NamedTuple):
    """The view before a search began."""

    search: re.Pattern[str] | None
    cursor: int | None
    following: bool


class LogScreen(Screen[None]):
    """A screen with a log pane, and a table of services that selects its lines."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.store = store
        self.stack_of_services = Stack()
        self.all_logs = False
        self._choices: dict[str | None, Choice] = {}
        """The choice of lines for each service, and under None for all together."""
        self._asking = ""
        """Purpose of the input line: search, filter or services."""
        self._histories = {"search": History(), "filter": History(), "services": History()}
        self._before = Looked(None, None, following=True)

    @property
    def table(self) -> ServiceTable:
        """The table of services."""
        return self.query_one(ServiceTable)

    @property
    def log_pane(self) -> LogPane:
        """The pane with the log lines."""
        return self.query_one(LogPane)

    @property
    def selected(self) -> View | None:
        """The selected service, None without one."""
        return self.stack_of_services.services.get(self.table.selected or "")

    @property
    def _shown_service(self) -> str | None:
        """The service whose lines are shown; None for all."""
        return None if self.all_logs else self.table.selected

    @property
    def choice(self) -> Choice:
        """The choice of lines that applies now."""
        return self._choices.get(self._shown_service, Choice())

    def choose(self, choice: Choice) -> None:
        """Apply another choice of lines to the service shown, from now on."""
        self._choices[self._shown_service] = choice
        self.show_logs()

    def show_logs(self) -> None:
        """Show the logs of the selected service, or of all."""
        service = self._shown_service
        choice = self.choice
        self.log_pane.view.filter, self.log_pane.view.sieve = choice.filter, choice.sieve
        self.log_pane.show(self.store.of(service), service, tuple(self.stack_of_services.services))
        self.say_title()

    def add_lines(self, lines: Sequence[LogLine]) -> None:
        """Show new lines."""
        # Lines still arrive during shutdown, when the pane is already gone.
        for pane in self.query(LogPane):
            pane.add(lines, self.store.dropped.get(pane.view.service or "", 0))

    @on(LogPane.Changed)
    def say_title(self) -> None:
        """Update the title: the service, and which of its lines are shown."""
        pane = self.log_pane
        whose = pane.view.service or (EVERYONE if self.all_logs else "")
        states = [FOLLOWING if pane.following else PAUSED]
        states += [(said, "accent") for said in self.choice.said]
        if pane.search is not None:
            place = f" {pane.match.number} of {pane.match.total}" if pane.match is not None else ""
            states.append((f"search {pane.search.pattern}{place}", "accent"))
        if pane.wrap:
            states.append(("wrapped", "dim"))
        pieces = log_title(whose, states, None if pane.wrap else len(pane.view.rows), self.size.width)
        self.query_one("#log-title", Static).update(content(pieces))

    def action_all(self) -> None:
        """Show the lines of every service, or only those of the selected one."""
        self.all_logs = not self.all_logs
        self.log_pane.following = True
        self.show_logs()

    def action_pause(self) -> None:
        """Stop following, or follow again."""
        self.log_pane.following = not self.log_pane.following

    def action_wrap(self) -> None:
        """Switch the wrapping of long lines on or off."""
        self.log_pane.wrap = not self.log_pane.wrap

    def action_fold(self) -> None:
        """Unfold the current line, or every line, or fold them again."""
        if not self.log_pane.fold():
            self.notify("this line has nothing to unfold", timeout=3)

    def action_level(self) -> None:
        """Show only lines of the next higher level, or all lines again."""
        self.choose(replace(self.choice, level=self.choice.next_level))

    def action_requests(self) -> None:
        """Hide the lines about requests, or show them again."""
        self.choose(replace(self.choice, requests=not self.choice.requests))

    def action_timestamps(self) -> None:
        """Switch the timestamps of lines on or off."""
        self.log_pane.timestamps = not self.log_pane.timestamps

    def action_zoom(self) -> None:
        """Give the logs the whole screen, or show the table again."""
        self.table.display = not self.table.display
        self.set_focus(self.table if self.table.display else self.log_pane)

    def action_clear(self) -> None:
        """Drop the lines that are shown."""
        self.store.clear(self.log_pane.view.service)
        self.show_logs()

    def action_copy(self) -> None:
        """Copy the selection, or a line."""
        text = self.get_selected_text() or self.log_pane.line_text()
        if text:
            self._copy(text)

    def on_text_selected(self) -> None:
        """Copy text as soon as it is selected, as users expect."""
        text = self.get_selected_text()
        if text and text.strip():
            self._copy(text)

    @on(LogPane.TooSlow)
    def show_without_pattern(self, event: LogPane.TooSlow) -> None:
        """Show the lines without a regular expression that takes too long."""
        self.notify(event.text, severity="error", timeout=8)
        self.choose(replace(self.choice, filter=self.log_pane.view.filter))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.notify(f"{counted(lines, 'line')} copied", timeout=2)

    def action_scroll_log(self, where: str) -> None:
        """Scroll the logs, wherever the focus is."""
        pane = self.log_pane
        match where:
            case "page_up":
                pane.following = False
                pane.scroll_page_up(animate=False)
            case "page_down":
                pane.scroll_page_down(animate=False)
            case "half_up":
                pane.following = False
                pane.scroll_relative(y=-(pane.size.height // 2), animate=False)
            case "half_down":
                pane.scroll_relative(y=pane.size.height // 2, animate=False)
            case "home":
                pane.following = False
                pane.scroll_home(animate=False)
            case "end":
                pane.following = True

    def action_next_error(self) -> None:
        """Go to the next error of any service."""
        self._go_to_error(1)

    def action_previous_error(self) -> None:
        """Go to the previous error."""
        self._go_to_error(-1)

    def _go_to_error(self, step: int) -> None:
        problems = list(self.store.problems())
        if not problems:
            self.notify("no errors in what is kept", timeout=3)
            return
        here = self.log_pane.cursor
        if here is None:
            # While the log is followed, begin with the latest error.
            line = problems[-1]
        elif step > 0:
            line = next((each for each in problems if each.number > here), problems[0])
        else:
            line = next((each for each in reversed(problems) if each.number < here), problems[-1])
        self.go_to(line)
        self.notify(f"error {problems.index(line) + 1} of {len(problems)}, {line.service}", timeout=2)

    def go_to(self, line: LogLine) -> None:
        """Show a line; switch to its service, and reset the filters, if necessary."""
        pane = self.log_pane
        if not self.all_logs and pane.view.service != line.service:
            self.table.select(line.service)
            self.show_logs()
        if not pane.look_at(line.number) and self.choice != Choice():
            self.choose(Choice())
            pane.look_at(line.number)

    def action_next_match(self) -> None:
        """Go to the next match."""
        self._find(1)

    def action_previous_match(self) -> None:
        """Go to the previous match."""
        self._find(-1)

    def _find(self, step: int) -> None:
        if self.log_pane.search is None:
            self.action_search()
        elif not self.log_pane.find(step) and self.log_pane.search is not None:
            self.notify(f"no line matches {self.log_pane.search.pattern}", timeout=3)

    def action_search(self) -> None:
        """Ask for the pattern of a search."""
        pane = self.log_pane
        self._before = Looked(pane.search, pane.cursor, pane.following)
        self._ask("search", "", "Up: the search before")

    def action_filter(self) -> None:
        """Ask for the pattern of the lines to show."""
        pattern = self.choice.filter
        self._ask("filter", pattern.pattern if pattern is not None else "", "empty shows all")

    def _ask(self, what: str, text: str, more: str) -> None:
        self._asking = what
        self._histories[what].begin()
        prompt = self.query_one("#prompt", Input)
        prompt.value = text
        prompt.placeholder = f"{what} by regular expression; Enter to take it, Esc to leave it; {more}"
        prompt.border_title = what
        prompt.display = True
        self.set_focus(prompt)

    @on(Input.Changed, "#prompt")
    def preview(self, event: Input.Changed) -> None:
        """Show the matches of a pattern while it is typed."""
        pattern = pattern_of(event.value)
        event.input.set_class(pattern is None and bool(event.value), "-wrong")
        # A fast Enter may have closed the input line already.
        if self._asking == "search" and event.input.display:
            self._go_back()
            self.log_pane.search_for(pattern)
            self.log_pane.find(-1, here_too=True)

    def on_key(self, event: Key) -> None:
        """Recall earlier patterns in the input line with Up and Down."""
        prompt = self.query_one("#prompt", Input)
        if prompt.display and event.key in ("up", "down"):
            event.prevent_default().stop()
            history = self._histories[self._asking]
            text = history.older() if event.key == "up" else history.newer()
            if text is not None:
                prompt.value = text
                prompt.cursor_position = len(text)

    @on(Input.Submitted, "#prompt")
    def take_pattern(self, event: Input.Submitted) -> None:
        """Apply the pattern: search, or filter lines or services."""
        pattern = pattern_of(event.value)
        if pattern is None and event.value:
            self.notify(f"{event.value} is not a regular expression", severity="error", timeout=4)
            return
        self._histories[self._asking].add(event.value)
        self.close_prompt()
        pane = self.log_pane
        if self._asking == "services":
            self.choose_services(pattern)
        elif self._asking == "filter":
            self.choose(replace(self.choice, filter=pattern))
        elif pattern is None:
            self._go_back()
            pane.search_for(None)
        elif pane.search is None or pane.search.pattern != pattern.pattern or pane.match is None:
            # The pattern was typed faster than the preview, or nothing matches.
            self._go_back()
            pane.search_for(pattern)
            if not pane.find(-1, here_too=True) and pane.search is not None:
                self.notify(f"no line matches {pattern.pattern}", timeout=3)
        self.say_title()

    def choose_services(self, pattern: re.Pattern[str] | None) -> None:
        """Show only the services that match a pattern; overridden by the screen that supports it."""

    def _go_back(self) -> None:
        """Restore the view from before the search."""
        pane, before = self.log_pane, self._before
        if before.cursor is None or not pane.look_at(before.cursor):
            pane.cursor = None
            pane.following = before.following

    def close_prompt(self) -> None:
        """Hide the input line."""
        self.query_one("#prompt").display = False
        self.set_focus(self.table if self.table.display else self.log_pane)

    @on(PatternLine.Left)
    def leave_prompt(self) -> None:
        """Close the input line, and undo the preview."""
        self.close_prompt()
        if self._asking == "search":
            self._go_back()
            self.log_pane.search_for(self._before.search)

    def key_escape(self) -> None:
        """Clear the search, and follow the end of the logs."""
        self.log_pane.search_for(None)
        self.log_pane.following = True


def pattern_of(text: str) -> re.Pattern[str] | None:
    """Compile a pattern, which ignores case unless it has capitals; return None if it is empty or invalid."""
    if not text:
        return None
    try:
        return re.compile(text, 0 if any(map(str.isupper, text)) else re.IGNORECASE)
    except re.error:
        return None
