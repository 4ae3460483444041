"""The dialogue about taken ports between an order and its user, for every client. Pure.

A client sends its order with `params`. If the supervisor answers with a question, the client asks its user in its
own way, adds the answers, and sends the order again:

    conversation = Conversation()
    while True:
        try:
            return client.call("start", conversation.params(wanted))
        except RemoteError as error:
            if (conflicts := conflicts_of(error)) is None:
                raise
            conversation.add(ask(conflicts))
"""

from __future__ import annotations

from devinit.errors import PortConflict, PortQuestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinit.control.client import RemoteError
    from devinit.control.wire import Json
    from devinit.model.port_answer import PortAnswer


class Conversation:
    """The user's answers so far."""

    def __init__(self) -> None:
        self._resolutions: list[Json] = []
        self.to_keep: dict[str, str] = {}
        """The permanent answers: policies by service."""

    @property
    def has_answers(self) -> bool:
        """Whether there are answers, which may have been carried out."""
        return bool(self._resolutions)

    def params(self, order: Json) -> Json:
        """Return the parameters of an order with all answers."""
        return {**order, "resolutions": self._resolutions}

    def add(self, answers: Iterable[PortAnswer]) -> None:
        """Add answers."""
        from devinit.model.port_answer import pins_of  # most starts ask nothing

        answers = list(answers)
        self._resolutions = [*self._resolutions, *(answer.resolution for answer in answers)]
        self.to_keep.update(pins_of(answers))


def conflicts_of(error: RemoteError) -> list[Json] | None:
    """Return the conflicts in an error; None if it is no question."""
    if error.kind != PortQuestion.__name__:
        return None
    conflicts: list[Json] = error.data["conflicts"]
    return conflicts


def accepted(conflicts: list[Json]) -> tuple[list[PortAnswer], list[Json]]:
    """Return the suggested answers, and the conflicts without a suggestion."""
    from devinit.model.port_answer import PortAnswer  # as above
    from devinit.model.port_words import has_suggestion

    answers = [PortAnswer(each, each["default"]) for each in conflicts if has_suggestion(each)]
    return answers, [each for each in conflicts if not has_suggestion(each)]


def given_up(conflicts: list[Json], *, again: bool) -> PortConflict:
    """Return the error for a user who answers none of these. `again`: other answers may have been carried out."""
    ports = ", ".join(f"{each['port']} for {each['service']}" for each in conflicts)
    taken = f"port {ports} is" if len(conflicts) == 1 else f"ports {ports} are"
    return PortConflict(
        f"{taken} taken, and the start was aborted",
        hint="nothing was started" if again else "nothing was started, and nothing was ended",
    )
