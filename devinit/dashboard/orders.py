"""Send the dashboard's orders to the supervisor, with the user's answers about taken ports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from textual.screen import Screen

from devinit.control.client import RemoteError
from devinit.control.conversation import Conversation, accepted, conflicts_of, given_up
from devinit.control.stopped import refuse_remaining
from devinit.dashboard.kept_answers import KeptAnswers
from devinit.dashboard.ordered import Given, Ordered
from devinit.errors import DevinitError
from devinit.model.port_answer import PortAnswer

if TYPE_CHECKING:
    from devinit.dashboard.begun import Begun
    from devinit.dashboard.link import Link

HELD_SECONDS = 0.7
"""Within this time, the same order comes from a key held down: auto-repeat begins after 0.2 to 0.7 s."""
_Result = TypeVar("_Result")
Json: TypeAlias = dict[str, Any]
# Data as received from the wire: model.port.Conflict, or the parameters of an order.


class GivenUp(Exception):
    """The user gave up on a question about taken ports."""

    def __init__(self, question: str, conflicts: list[Json], *, again: bool) -> None:
        super().__init__(question)
        self.question, self.conflicts = question, conflicts
        self.again = again
        """Whether earlier answers were sent, and may have been carried out."""


class Desk(Protocol):
    """The interface to the user: dialogues, messages and errors."""

    def push_screen_wait(self, screen: Screen[_Result]) -> Awaitable[_Result]:
        """Show a dialogue, and return the user's answer."""
        ...

    def say(self, text: str, *, title: str = "", seconds: float) -> None:
        """Show a message for some seconds."""
        ...

    def complain(self, error: DevinitError) -> None:
        """Show an error, and what to do next."""
        ...


class Orders:
    """Sends orders, and asks the user one question after the other."""

    def __init__(self, link: Link, desk: Desk, kept: KeptAnswers, clock: Callable[[], float]) -> None:
        self._link, self._desk, self._kept, self._clock = link, desk, kept, clock
        self._last: tuple[str, tuple[str, ...], float] | None = None
        """The last order by a key: method, services, and time."""
        self.ordered = Ordered()

    def is_repeated(self, given: Given) -> bool:
        """Whether an order comes from a key held down: thirty restarts in a row are never intended."""
        now = self._clock()
        before, self._last = self._last, (given.method, given.services, now)
        return before is not None and before[:2] == self._last[:2] and now - before[2] < HELD_SECONDS

    async def carry_out(self, given: Given, params: Json) -> bool:
        """Send an order, and ask about conflicts until none is left; return False if it had no effect."""
        try:
            return await self._answered(given.method, {"services": list(given.services), **params})
        finally:
            self.ordered.answered(given)

    async def _answered(self, method: str, params: Json) -> bool:
        can_move = method in ("start", "restart")

        async def send(params: Json) -> Any:
            return await self._link.order(method, params)

        try:
            if can_move:
                await self._conversed(send, {**params, "on_conflict": "ask", "can_answer": True})
            else:
                answer = await send(params)
                if method == "stop":
                    refuse_remaining(answer)
        except GivenUp as error:
            self._last = None  # the same order again is intended
            self._desk.say("nothing was started", title=error.question, seconds=4)
            return False
        except DevinitError as error:
            self._desk.complain(error)
            return False
        return True

    async def type_line(self, service: str, text: str) -> None:
        """Send a line to the standard input of a service; show why if the service does not accept it."""
        try:
            report = await self._link.order("input", {"service": service, "text": f"{text}\n"})
        except DevinitError as error:
            self._desk.complain(error)
            return
        if not report["taken"]:
            self._desk.say(
                f"{report['unread']:,} bytes wait to be read: it takes no more",
                title=f"{service} does not read its input",
                seconds=8,
            )

    async def see_through(self, given: Given, begun: Begun) -> DevinitError | None:
        """Answer the questions of a start that was ordered earlier. Return its error if it had no effect."""
        try:
            await self._conversed(begun.send, begun.params)
        except GivenUp as error:
            return given_up(error.conflicts, again=error.again)
        except DevinitError as error:
            return error
        finally:
            self.ordered.answered(given)
        return None

    async def _conversed(self, send: Callable[[Json], Awaitable[Any]], params: Json) -> None:
        """Send an order until it has no more questions. Raise GivenUp, or the DevinitError of a refusal.

        Any: data as received from the wire.
        """
        conversation = Conversation()
        while True:
            try:
                await send(conversation.params(params))
                break
            except RemoteError as error:
                conflicts = conflicts_of(error)
                if conflicts is None or not params["can_answer"]:
                    raise
                answers = await self._ask(conflicts)
                if answers is None:
                    raise GivenUp(error.message, conflicts, again=conversation.has_answers) from None
                conversation.add(answers)
        for said in self._kept.keep(conversation.to_keep):
            self._desk.say(said, seconds=8)

    async def _ask(self, conflicts: list[Json]) -> list[PortAnswer] | None:
        """Ask about all conflicts at once if there are several, then about each remaining one.

        Return None when the user gives up.
        """
        # Imported late, so that the first picture does not wait for the dialogues.
        from devinit.dashboard.screens.conflict import ConflictDialogue
        from devinit.dashboard.screens.conflicts import ACCEPT, ConflictsDialogue

        answers: list[PortAnswer] = []
        is_late = True
        if len(conflicts) > 1:
            is_late = False
            kind = await self._desk.push_screen_wait(ConflictsDialogue(conflicts))
            if kind == "abort":
                return None
            if kind == ACCEPT:
                answers, conflicts = accepted(conflicts)
        for number, conflict in enumerate(conflicts, 1):
            can_keep = self._kept.can_keep()
            answer = await self._desk.push_screen_wait(
                ConflictDialogue(conflict, number, len(conflicts), can_keep=can_keep, is_late=is_late)
            )
            is_late = False
            if answer.kind == "abort":
                return None
            answers.append(answer)
        return answers
