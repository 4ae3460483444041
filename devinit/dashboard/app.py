"""The dashboard application, which connects the supervisor, the logs and the screens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from devinit.dashboard import colours, hang_up, themes
from devinit.dashboard.begun import Begun, Twice
from devinit.dashboard.farewell import farewell
from devinit.dashboard.kept_answers import KeptAnswers
from devinit.dashboard.lines.feed import Feed, Piece
from devinit.dashboard.lines.store import Store
from devinit.dashboard.link import Found, Gone, Happened, Link, News
from devinit.dashboard.opening import Opener
from devinit.dashboard.ordered import Given
from devinit.dashboard.orders import Json, Orders
from devinit.dashboard.pages import Pages
from devinit.dashboard.palette import palette
from devinit.dashboard.preferences import Preferences, keys_with
from devinit.dashboard.presentation import banner
from devinit.dashboard.screens.main import MainScreen
from devinit.dashboard.speaking import SpeakingApp
from devinit.dashboard.starting import Start, after
from devinit.dashboard.state import LinkState, Stack, happened, lost, planned, refreshed
from devinit.dashboard.stops import Stops
from devinit.dashboard.tasks import Source, Tasks
from devinit.dashboard.turns import Turns
from devinit.dashboard.widgets.input_lines import TypeLine
from devinit.errors import DevinitError, SupervisorError
from devinit.text import one_line

MEASURE_SECONDS = 2.0
"""Interval between two requests for the status, with CPU and memory."""
SOON_SECONDS = 0.15
"""Delay after an event until the whole status is fetched, once for all events in between."""


class Dashboard(SpeakingApp):
    """The dashboard of one project. Its result is a message that is printed in the shell after it exits."""

    TITLE = "devinit"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", show=False, priority=True)]

    def __init__(
        self,
        link: Link,
        root: Path,
        kept: KeptAnswers,
        *,
        theme: str = themes.DARK.name,
        tasks: Source = tuple,
        begun: Begun | None = None,
        preferences: Preferences | None = None,
        hint: str = "",
        clock: Callable[[], float] = time.monotonic,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class)
        self._clock = clock
        self._link = link
        self._orders = Orders(link, self, kept, clock)
        self._ordered = self._orders.ordered
        self.root = root
        self._preferences = preferences or Preferences()
        self.keys = keys_with(self._preferences.keys)
        self._first_theme = self._preferences.theme or theme
        self._hint = hint  # for a first-time user
        self.store, self.begun = Store(), begun
        """`begun`: the start that was ordered before the dashboard opened."""
        self._twice = Twice()
        """Filter for events of that start, which arrive on its own connection and on the other one."""
        self.start = Start(began=clock() - begun.seconds) if begun is not None else None
        self.refusal: DevinitError | None = None
        """Why that start was refused; the dashboard then exits at once."""
        self.stack = Stack(root=str(root), project=root.name)
        self.environment: dict[str, str] = {}
        self._out_of_reach = ""
        """Why the services cannot be reached from here, if they run in another container."""
        self._stale = False  # whether a fetch of the status is scheduled
        self._feed = Feed(root, self._take_pieces)
        self._turns = Turns(self, super().on_event)
        self._tasks = Tasks(self, root, tasks)
        self._pages = Pages(self.keys, lambda: self.stack, link.ask, self.restart)
        self._stops = Stops(self, self._ordered, lambda: self.stack, self.order)
        self.main = MainScreen(self.store, clock, self._ordered, Opener(self, link.ask, root), self.keys)

    # Its life

    async def on_mount(self) -> None:
        """Register the themes, show the main screen, and start the workers."""
        for theme in (themes.DARK, themes.LIGHT, *map(themes.own, self._preferences.themes)):
            self.register_theme(theme)
        self.theme = self._first_theme if self._first_theme in self.available_themes else themes.DARK.name
        self.theme_changed_signal.subscribe(self, lambda theme: colours.remember(theme.name))
        await self.push_screen(self.main)
        self._say_at_first()
        self.run_worker(self._turns.give(), name="turns", exclusive=False)
        # Reads the configuration, so it runs after the first picture.
        self.call_after_refresh(self.run_worker, self._tasks.read, exclusive=False)
        self._feed.begin()
        self.run_worker(self._link.follow(self._take_news), name="link", exclusive=False)
        if self.begun is not None:
            self.main.start = self.start
            self.main.show_all_by_itself()
            self.run_worker(self._see_start(self.begun), name="start", exclusive=False)
        self.set_interval(MEASURE_SECONDS, self._measure)
        if not self.is_headless and not self.is_web:
            hang_up.watch(0, partial(asyncio.get_running_loop().call_soon_threadsafe, self.exit))

    def _say_at_first(self) -> None:
        """Show the problems of the user's config.toml, and the hint for a first-time user."""
        wrong = list(self._preferences.problems)
        if self._preferences.theme not in (None, *self.available_themes):
            wrong.append(f"dashboard.theme: there is no theme {self._preferences.theme}")
        if wrong:
            self.notify("\n".join(wrong), title="config.toml", severity="warning", timeout=15)
        if self._hint:
            self.notify(self._hint, timeout=15)

    def on_unmount(self) -> None:
        """Stop reading the logs."""
        self._feed.end()

    def leave(self) -> None:
        """Exit, and leave the services running."""
        self.exit(farewell(self.stack, {name: self._ordered.last(name) for name in self.stack.services}))

    async def action_quit(self) -> None:
        """Exit once every order has been sent to the supervisor."""
        # An order runs in its own task, which begins in the next iteration of the event loop.
        await asyncio.sleep(0)
        await self._link.until_sent()
        self.leave()

    def action_help_quit(self) -> None:
        """Show which key quits, after Ctrl-C, which copies selected text here and may be pressed twice."""
        self.notify("q quits; services keep running")

    # News from the supervisor

    def _take_news(self, news: News) -> None:
        match news:
            case Found(status, environment, out_of_reach):
                self.line, self._out_of_reach = LinkState.HELD, out_of_reach
                self.forget_absence()
                self.environment = environment
                first = not self.stack.services
                self._show(refreshed(self.stack, status, self._clock()))  # type: ignore[arg-type]  # as the wire has it
                if first:
                    self._look_at_trouble()
            case Happened(event):
                if self.start is None or self._twice.is_new(event, goes_on=self.start.goes_on):
                    self._take_event(event)
            case Gone():
                self.line = LinkState.CUT
                self._show(lost(self.stack))
                self.main.show_banner(banner(self.stack, news))

    async def _see_start(self, begun: Begun) -> None:
        """Show the start that was ordered earlier, ask its questions, and exit when it is refused."""
        given = self._ordered.add("start", begun.params["services"])
        begun.listen(self._take_event_of_start)
        error = await self._orders.see_through(given, begun)
        if isinstance(error, SupervisorError):
            self.complain(error)  # services may run; the next connection shows it
        elif error is not None:
            self.refusal = error
            self.exit()

    def _take_event_of_start(self, event: dict[str, object]) -> None:
        if self.start is None:
            return
        self.start = after(self.start, event, self._clock())
        self.main.start = self.start
        if event["type"] == "plan" and not self.stack.services:
            self._show(planned(self.stack, event))
        elif event["type"] in ("plan", "summary"):
            self.main.say_start()
        elif self._twice.is_new(event):
            self._take_event(event)

    def _look_at_trouble(self) -> None:
        """Select the first failed service, so that its last log lines are on the screen."""
        failed = [view.name for view in self.stack.services.values() if view.phase == "failed"]
        if failed:
            self.main.table.select(failed[0])
            self.main.look_at_by_itself(failed[0])

    def _take_event(self, event: dict[str, object]) -> None:
        self._show(happened(self.stack, event, self._clock()))
        service = str(event.get("service") or "")
        match event["type"]:
            case "phase" if event["phase"] == "failed":
                reason = str(event["reason"] or "").partition("\n")[0]
                self._note(service, f"{service} failed: {reason}")
                self.main.look_at_by_itself(service)
                self.notify(
                    f"{reason}\n(d: details)",
                    title=f"{service} failed",
                    severity="error",
                    timeout=8,
                )
            case "note":
                self._note(service, str(event["message"]))
                self.notify(str(event["message"]), timeout=6)
            case "environment":
                self.run_worker(self._refresh_environment())
        if event["type"] in ("phase", "port", "port_info"):
            self._status_soon()

    def _show(self, stack: Stack) -> None:
        self.stack = stack
        self._feed.follow(stack.services)
        if self.line is LinkState.HELD:
            self.main.show_banner(banner(stack, None, self._out_of_reach))
        self.main.show_stack(stack, self.line)

    def _note(self, service: str, text: str) -> None:
        name = service if service in self.stack.services else next(iter(self.stack.services), "")
        if name:
            self.main.add_lines(self.store.note(name, one_line(text), time.time()))

    def _status_soon(self) -> None:
        if not self._stale:
            self._stale = True
            self.set_timer(SOON_SECONDS, self._measure)

    async def _measure(self) -> None:
        self._stale = False
        # Also without the focus: most of the day, the dashboard is open beside an editor.
        if self.line is not LinkState.HELD:
            return
        try:
            status = await self._link.ask("status")
        except DevinitError:
            return  # the supervisor is gone, which is reported elsewhere
        if status["services"]:
            self._show(refreshed(self.stack, status, self._clock()))

    async def _refresh_environment(self) -> None:
        self._feed.renew_secrets()
        try:
            self.environment = await self._link.ask("environment")
        except DevinitError:
            return  # as above

    # Output of the services

    def _take_pieces(self, pieces: list[Piece]) -> None:
        """Add log lines; called in the reading thread, which continues once they are shown."""
        try:
            self.call_from_thread(self._add_lines, pieces)
        except RuntimeError:
            self._feed.end()  # the program has ended meanwhile

    def _add_lines(self, pieces: list[Piece]) -> None:
        self.main.add_lines(self.store.add(pieces))

    # Input of the user

    async def on_event(self, event: events.Event) -> None:
        """Queue keys and pastes, so that each waits until the action of the previous key is done."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._turns.add(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Show why a key does nothing.

        Textual runs actions here, one key after the other. A screen would see a key before the actions of previous
        keys have run, and so before they have selected their service.
        """
        if self.screen is self.main:
            self.main.say_why_not(event)

    @on(MainScreen.Order)
    def take_order(self, order: MainScreen.Order) -> None:
        """Start, stop or restart services."""
        if self._orders.is_repeated(order.given):
            self._ordered.answered(order.given)
        else:
            self.carry_out(order.given, {"only_changed": True} if order.changed else {})

    @work
    async def carry_out(self, given: Given, params: Json) -> None:
        """Send an order in a worker."""
        await self.order(given, params)

    async def restart(self, services: list[str]) -> None:
        """Restart services, and return when they are up again."""
        await self.order(self._ordered.add("restart", services))

    async def order(self, given: Given, params: Json | None = None) -> bool:
        """Carry an order out; return False if it had no effect."""
        came_of_it = await self._orders.carry_out(given, params or {})
        self.main.refresh_bindings()
        if not came_of_it:
            return False
        if self.line is LinkState.CUT:
            self._link.revive()
        self._status_soon()
        return True

    @on(MainScreen.Wanted)
    async def take_wish(self, wanted: MainScreen.Wanted) -> None:
        """Carry out an action that the main screen leaves to the application."""
        match wanted.what:
            case "leave":
                await self.action_quit()
            case "end_now" if wanted.service is not None:
                self._stops.end_now(wanted.service)
            case "stop_all":
                self._stops.stop_all()
            case "stop_and_leave":
                self._stops.stop_all(self.leave)
            case "theme":
                self.theme = (themes.LIGHT if self.current_theme.dark else themes.DARK).name
            case "revive":
                self._link.revive()
            case "tasks":
                await self._tasks.choose()
            case "stream":
                if not self.lend(partial(self.stream, wanted.service)):
                    self.notify("this terminal has no plain stream", severity="warning")
            case "attach" if wanted.service is not None:
                from devinit.dashboard.attaching import attach  # as above

                if not self.lend(partial(attach, self.root, wanted.service)):
                    self.main.type_into(wanted.service)
            case what:
                page = self._pages.page_of(what, wanted.service)
                if page is not None:
                    self.push_screen(page)

    def stream(self, service: str | None) -> None:
        """Show the log lines as plain text, without the dashboard, until Ctrl-C."""
        from devinit.dashboard.stream import stream  # as above

        stream(self.store.of(service), self.root, service, tuple(self.stack.services))

    def lend(self, use: Callable[[], None]) -> bool:
        """Give the terminal to a function until it returns; return False without a terminal, as in a browser."""
        try:
            with self.suspend():
                use()
            self._turns.forget()
        except SuspendNotSupported:
            return False
        return True

    @on(TypeLine.Typed)
    @work
    async def type_line(self, typed: TypeLine.Typed) -> None:
        """Send a line to the standard input of a service."""
        view = self.stack.services.get(typed.service)
        if view is not None and not view.has_terminal:
            # A terminal echoes the input by itself, unless it is hidden.
            self._note(typed.service, f"> {'…' if typed.is_hidden else typed.text}")
        await self._orders.type_line(typed.service, typed.text)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return defaults for the colours that only our own themes define."""
        return {"dim": "#808a96", "border": "#808a96"}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key and every task in the palette."""
        of_textual = super().get_system_commands(screen)
        return palette(self.keys, self.main.act, self._tasks.commands(), of_textual, is_web=self.is_web)
