"""The dashboard: joins the line to the supervisor, the logs and the screens to one program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from devinit.dashboard import themes
from devinit.dashboard.begun import Begun
from devinit.dashboard.kept_answers import KeptAnswers
from devinit.dashboard.lines.feed import Feed, Piece
from devinit.dashboard.lines.store import Store
from devinit.dashboard.link import Found, Gone, Happened, Link, News
from devinit.dashboard.opening import Opener
from devinit.dashboard.ordered import BRINGS_UP, Given
from devinit.dashboard.orders import Json, Orders
from devinit.dashboard.palette import palette
from devinit.dashboard.presentation import banner, farewell
from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.screens.main import MainScreen
from devinit.dashboard.starting import Start, after
from devinit.dashboard.state import Line, Stack, happened, lost, planned, refreshed
from devinit.dashboard.tasks import Source, Tasks
from devinit.dashboard.turns import Turns
from devinit.errors import DevinitError, SupervisorError
from devinit.model.status import Phase
from devinit.text import one_line, plain

MEASURE_SECONDS = 2.0
"""How often CPU and memory are asked for."""
STOPPING_ALL = "stop everything"
WITHOUT_GRACE = "No grace: KILL, for PostgreSQL QUIT. What was not written is lost."
SOON_SECONDS = 0.15
"""After what happened the whole status is asked for once, however much happened."""


class Dashboard(App[str]):
    """The running stack. What it returns is said on the shell afterwards."""

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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._link = link
        self._orders = Orders(link, self, kept, clock)
        self._ordered = self._orders.ordered
        self.root = root
        self._first_theme = theme
        self.store = Store()
        self._begun = begun
        """The start that was ordered before."""
        self.start = Start(began=clock() - begun.seconds) if begun is not None else None
        self.refusal: DevinitError | None = None
        """Why nothing came of that start; then the dashboard has left at once."""
        self._told: set[tuple[object, ...]] = set()
        """What has come of it on its own connection, and comes on the other one again."""
        self.stack = Stack(root=str(root), project=root.name)
        self.environment: dict[str, str] = {}
        self._line = Line.SOUGHT
        self._out_of_reach = ""
        """Why the services cannot be reached from here, if they run in another container."""
        self._missed_supervisor = False
        """Whether it was said that the supervisor is gone, or could not be asked."""
        self._stale = False
        """Whether a status is on its way already."""
        self._feed = Feed(root, self._take_pieces)
        self._turns = Turns(self, super().on_event)
        self._tasks = Tasks(self, root, tasks)
        self.main = MainScreen(self.store, clock, self._ordered, Opener(self, link.ask, root))

    # Its life

    async def on_mount(self) -> None:
        """Begin."""
        for theme in (themes.DARK, themes.LIGHT):
            self.register_theme(theme)
        self.theme = self._first_theme if self._first_theme in self.available_themes else themes.DARK.name
        self.theme_changed_signal.subscribe(self, lambda theme: themes.remember(theme.name))
        await self.push_screen(self.main)
        self.run_worker(self._turns.give(), name="turns", exclusive=False)
        self.run_worker(self._tasks.read(), exclusive=False)
        self._feed.begin()
        self.run_worker(self._link.follow(self._take_news), name="link", exclusive=False)
        if self._begun is not None:
            self.main.start = self.start
            self.main.show_all_by_itself()
            self.run_worker(self._see_start(self._begun), name="start", exclusive=False)
        self.set_interval(MEASURE_SECONDS, self._measure)

    def on_unmount(self) -> None:
        """Let go of the logs."""
        self._feed.end()

    def leave(self) -> None:
        """Leave, and let everything run."""
        self.exit(farewell(self.stack, {name: self._ordered.last(name) for name in self.stack.services}))

    async def action_quit(self) -> None:
        """Leave, once the supervisor has been told every order."""
        # An order is given in a task of its own, which begins with the next turn of the loop.
        await asyncio.sleep(0)
        await self._link.until_sent()
        self.leave()

    def action_help_quit(self) -> None:
        """Say what quits, after Ctrl-C: it copies selected text here, and may come twice."""
        self.notify("q quits; services keep running")

    # What the supervisor tells

    def _take_news(self, news: News) -> None:
        match news:
            case Found(status, environment, out_of_reach):
                self._line, self._out_of_reach = Line.HELD, out_of_reach
                if self._missed_supervisor:
                    # It is back: what was said about its absence is true no longer.
                    self._missed_supervisor = False
                    self.clear_notifications()
                self.environment = environment
                first = not self.stack.services
                self._show(refreshed(self.stack, status, self._clock()))  # type: ignore[arg-type]  # as the wire has it
                if first:
                    self._look_at_trouble()
            case Happened(event):
                if self._is_new(event):
                    self._take_event(event)
            case Gone():
                self._line = Line.CUT
                self._show(lost(self.stack))
                self.main.show_banner(banner(self.stack, news))

    async def _see_start(self, begun: Begun) -> None:
        """Show the start that was ordered before, ask what it asks, and leave when it is refused."""
        given = self._ordered.add("start", begun.params["services"])
        begun.listen(self._take_event_of_start)
        error = await self._orders.see_through(given, begun)
        if isinstance(error, SupervisorError):
            self.complain(error)  # services may run; who comes back tells
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
        elif self._is_new(event):
            self._take_event(event)

    def _is_new(self, event: dict[str, object]) -> bool:
        """Whether an event has not come yet: while the start goes on, there are two connections to come on."""
        if self.start is None or self._begun is None:
            return True
        mark = (event["type"], event["at"], event.get("service"), event.get("message"), event.get("phase"))
        if mark in self._told:
            self._told.discard(mark)
            return False
        if self.start.goes_on:
            self._told.add(mark)
        else:
            self._told.clear()
        return True

    def _look_at_trouble(self) -> None:
        """Begin with what has failed, so that its last words are on the screen."""
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
        if self._line is Line.HELD:
            self.main.show_banner(banner(stack, None, self._out_of_reach))
        self.main.show_stack(stack, self._line)

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
        # Also without the focus: it stands beside an editor most of the day.
        if self._line is not Line.HELD:
            return
        try:
            status = await self._link.ask("status")
        except DevinitError:
            return  # it is gone, which is reported elsewhere
        if status["services"]:
            self._show(refreshed(self.stack, status, self._clock()))

    async def _refresh_environment(self) -> None:
        self._feed.renew_secrets()
        try:
            self.environment = await self._link.ask("environment")
        except DevinitError:
            return  # as above

    # What the services print

    def _take_pieces(self, pieces: list[Piece]) -> None:
        """Take lines in; called in the thread that reads them, which goes on when they are shown."""
        try:
            self.call_from_thread(self._add_lines, pieces)
        except RuntimeError:
            self._feed.end()  # the program has ended meanwhile

    def _add_lines(self, pieces: list[Piece]) -> None:
        self.main.add_lines(self.store.add(pieces))

    # What the user wants

    async def on_event(self, event: events.Event) -> None:
        """Let what is typed wait until the key before has done its work."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._turns.add(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing.

        Textual carries actions out here, one key after the other. A screen sees a key before that: of several that
        come at once, those before it have not chosen their service yet.
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
        """Send an order."""
        await self._order(given, params)

    async def restart(self, services: list[str]) -> None:
        """Restart services, and return when they are up again."""
        await self._order(self._ordered.add("restart", services))

    async def _order(self, given: Given, params: Json | None = None) -> bool:
        """Carry an order out; False when nothing came of it."""
        came_of_it = await self._orders.carry_out(given, params or {})
        self.main.refresh_bindings()
        if not came_of_it:
            return False
        if self._line is Line.CUT:
            self._link.revive()
        self._status_soon()
        return True

    def _changed(self, service: str) -> str:
        """Return what of a service's configuration is newer than it is."""
        view = self.stack.services.get(service)
        return view.changed if view is not None else ""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something for a few seconds, once at a time. No text is markup, whatever a caller or widget says."""
        del markup
        self._missed_supervisor |= severity == "error" and self._line is Line.CUT
        message, title = plain(message), plain(title)
        if all((shown.message, shown.title) != (message, title) for shown in self._notifications):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def say(self, text: str, *, title: str = "", seconds: float) -> None:
        """Say something for some seconds."""
        self.notify(text, title=title, timeout=seconds)

    def complain(self, error: DevinitError) -> None:
        """Say what went wrong and what to do next."""
        self._missed_supervisor |= isinstance(error, SupervisorError)
        self.notify(error.hint or "", title=error.message, severity="error", timeout=10)

    @on(MainScreen.Wanted)
    async def take_wish(self, wanted: MainScreen.Wanted) -> None:
        """Do what the main screen cannot do itself."""
        match wanted.what:
            case "leave":
                await self.action_quit()
            case "end_now" if wanted.service is not None:
                self.end_now(wanted.service)
            case "stop_all":
                self.stop_all(leave=False)
            case "stop_and_leave":
                self.stop_all(leave=True)
            case "theme":
                self.theme = (themes.LIGHT if self.current_theme.dark else themes.DARK).name
            case "revive":
                self._link.revive()
            case "details" if wanted.service is not None:
                from devinit.dashboard.screens.details import (
                    DetailsPage,  # the first picture waits for no page
                )

                self.push_screen(DetailsPage(wanted.service, self._link.ask, self._changed))
            case "ports":
                from devinit.dashboard.screens.ports import PortsPage  # as above

                self.push_screen(PortsPage(self._link.ask, self.restart))
            case "environment":
                from devinit.dashboard.screens.environment import EnvironmentPage  # as above

                self.push_screen(EnvironmentPage(tuple(self.stack.services), self._link.ask))
            case "tasks":
                await self._tasks.choose()
            case "help":
                from devinit.dashboard.screens.help import HelpPage  # as above

                self.push_screen(HelpPage())
            case "stream":
                self.lend(partial(self.stream, wanted.service), "this terminal has no plain stream")
            case "attach" if wanted.service is not None:
                from devinit.dashboard.attaching import attach  # as above

                self.lend(
                    partial(attach, self.root, wanted.service),
                    f"not here: `devinit attach {wanted.service}` in a terminal types into it",
                )

    def end_now(self, service: str) -> None:
        """End a service that takes its time to stop, if that is meant."""

        def take(is_meant: bool | None) -> None:
            if is_meant and self.stack.services[service].phase == Phase.STOPPING:
                self.carry_out(self._ordered.add("stop", [service]), {"force": True})

        self.push_screen(Confirm(f"End {service} at once?", WITHOUT_GRACE, "End now"), take)

    def stop_all(self, *, leave: bool) -> None:
        """Stop every service, or end at once what is left of a stop that goes on."""
        views = self.stack.services.values()
        coming = [view for view in views if self._ordered.last(view.name) in BRINGS_UP]
        left = [view for view in views if view.pid is not None or view in coming]
        if not left:
            if leave:
                self.leave()
            return
        goes_on = any(worker.name == STOPPING_ALL and worker.is_running for worker in self.workers)
        force = not coming and (goes_on or all(view.phase == Phase.STOPPING for view in left))
        self.ask_whether_to_stop([view.name for view in left], leave=leave, force=force)

    def ask_whether_to_stop(self, names: list[str], *, leave: bool, force: bool) -> None:
        """Stop every service, if that is meant."""
        listed = ", ".join(names)
        question = "End at once what is left" if force else "Stop everything"
        consequence = f"{listed}. {WITHOUT_GRACE}" if force else f"{listed} end, dependants first."
        ask = Confirm(
            f"{question}{' and leave' if leave else ''}?", consequence, "End now" if force else "Stop"
        )

        def take(is_meant: bool | None) -> None:
            if is_meant:
                said = f"stopped {listed}" if leave else None
                self.stop_everything(self._ordered.add("stop", []), said, force=force)

        self.push_screen(ask, take)

    @work(name=STOPPING_ALL)
    async def stop_everything(self, given: Given, said: str | None, *, force: bool) -> None:
        """Stop every service, and leave with some last words if there are any."""
        if await self._order(given, {"force": force}) and said is not None:
            self.exit(said)

    def stream(self, service: str | None) -> None:
        """Show the lines without frames until Ctrl-C."""
        from devinit.dashboard.stream import stream  # as above

        stream(self.store.of(service), self.root, service, tuple(self.stack.services))

    def lend(self, use: Callable[[], None], refusal: str) -> None:
        """Let something else have the terminal until it returns; a page in a browser has none to lend."""
        try:
            with self.suspend():
                use()
            self._turns.forget()
        except SuspendNotSupported:
            self.notify(refusal, severity="warning")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return colours that only our own themes have."""
        return {"dim": "#808a96", "border": "#808a96"}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key and every task in the palette."""
        of_textual = super().get_system_commands(screen)
        return palette(self.main.act, self._tasks.commands(), of_textual, is_web=self.is_web)
