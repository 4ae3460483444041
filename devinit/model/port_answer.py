"""What a person answers about a taken port, on the shell or in the dashboard: for now, or permanently. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from devinit.model.names import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    # As it comes off the wire: model.port.Conflict.
    Json = dict[str, Any]

LASTING = {
    "move": "always move",
    "reuse": "always use the running one",
    "kill": "always kill, where that is safe (ends processes)",
}
"""Resolutions that can be given once and for all, what ends a process last: the pointer stands on the first."""
ALWAYS_TEXT = "always do the same…"
ONLY_NOW_TEXT = "only this time"
UNPINNED = (
    "An answer for good needs a place to be kept: on_conflict in a devinit.toml. `devinit init` writes one "
    "of what was detected here. The port that a service moves to is remembered anyway, in .ports.json."
)


class Answer(NamedTuple):
    """What was decided about one conflict."""

    conflict: Json
    kind: str
    always: bool = False
    """The same is to be done from now on, without a question."""

    @property
    def resolution(self) -> Json:
        """Return it as the supervisor wants it: it holds for exactly the holders that were shown."""
        return {
            "service": self.conflict["service"],
            "port": self.conflict["port"],
            "kind": self.kind,
            "holders": [holder["identity"] for holder in self.conflict["holders"]],
        }


def owner_of(conflict: Json) -> str:
    """Return the service whose port it is: `backend` of `backend.metrics`."""
    return service_of(str(conflict["service"]))


def lasting_kinds(conflict: Json) -> list[str]:
    """Return which answers can be given once and for all, in the order offered."""
    return [kind for kind in LASTING if kind in conflict["choices"]]


def lasting_question(conflict: Json) -> str:
    """Return how it is asked what is to be done from now on."""
    return f"What is always to be done for {owner_of(conflict)}?"


def pins_of(answers: Iterable[Answer]) -> dict[str, str]:
    """Return what is to be kept: for each service its policy."""
    return {owner_of(each.conflict): each.kind for each in answers if each.always}
