"""The orders of the dashboard: sent to the supervisor, with the user's answers about taken ports."""

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
"""Within which the same order comes from a key that is held down: the repeating begins after 0.2 to 0.7."""
_Result = TypeVar("_Result")
Json: TypeAlias = dict[str, Any]
# As it comes off the wire: model.port.Conflict, and the parameters of an order.


class GivenUp(Exception):
    """The user leaves taken ports as they are."""

    def __init__(self, question: str, conflicts: list[Json], *, again: bool) -> None:
        super().__init__(question)
        self.question, self.conflicts = question, conflicts
        self.again = again
        """Whether other answers were sent before, and may have been carried out."""


class Desk(Protocol):
    """Where a user is asked, and learns what came of an order."""

    def push_screen_wait(self, screen: Screen[_Result]) -> Awaitable[_Result]:
        """Show a dialogue, and return what it was answered with."""
        ...

    def say(self, text: str, *, title: str = "", seconds: float) -> None:
        """Say something for some seconds."""
        ...

    def complain(self, error: DevinitError) -> None:
        """Say what went wrong and what to do next."""
        ...


class Orders:
    """Sends orders, one question after the other."""

    def __init__(self, link: Link, desk: Desk, kept: KeptAnswers, clock: Callable[[], float]) -> None:
        self._link, self._desk, self._kept, self._clock = link, desk, kept, clock
        self._last: tuple[str, tuple[str, ...], float] | None = None
        """What was ordered last by a key, of whom, and when."""
        self.ordered = Ordered()

    def is_repeated(self, given: Given) -> bool:
        """Whether a key is held down that has just ordered this: thirty restarts in a row are not meant."""
        now = self._clock()
        before, self._last = self._last, (given.method, given.services, now)
        return before is not None and before[:2] == self._last[:2] and now - before[2] < HELD_SECONDS

    async def carry_out(self, given: Given, params: Json) -> bool:
        """Send an order, and ask about conflicts for as long as there are any; False when nothing came of it."""
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
            self._last = None  # a user who orders it again at once means it
            self._desk.say("nothing was started", title=error.question, seconds=4)
            return False
        except DevinitError as error:
            self._desk.complain(error)
            return False
        return True

    async def type_line(self, service: str, text: str) -> None:
        """Send a line to the standard input of a service, and say why it was not taken."""
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
        """Ask what a start asks that was ordered before, until it is answered. Return why nothing came of it."""
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
        """Send an order until nothing is asked any more. Raise GivenUp, or the DevinitError of a refusal.

        Any: whatever came off the wire.
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
        """Ask about all conflicts at once if there are several, then about each that is left.

        None when the user gives up.
        """
        # The first picture waits for no question.
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
