"""The user's answer about a taken port, in the shell or in the dashboard: once, or permanently. Pure."""

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
"""Resolutions that can be permanent. The one that ends processes is last, because the
pointer starts at the first."""
ALWAYS_TEXT = "always do the same…"
ONLY_NOW_TEXT = "only this time"
UNPINNED = (
    "An answer for good needs a place to be kept: on_conflict in a devinit.toml. `devinit init` writes one "
    "of what was detected here. The port that a service moves to is remembered anyway, in .ports.json."
)


class PortAnswer(NamedTuple):
    """The decision about one conflict."""

    conflict: Json
    kind: str
    always: bool = False
    """Whether the same applies from now on, without a question."""

    @property
    def resolution(self) -> Json:
        """The answer in the supervisor's format; it is valid only for the holders that the user saw."""
        return {
            "service": self.conflict["service"],
            "port": self.conflict["port"],
            "kind": self.kind,
            "holders": [holder["identity"] for holder in self.conflict["holders"]],
        }


def owner_of(conflict: Json) -> str:
    """Return the service that owns the port: `backend` for `backend.metrics`."""
    return service_of(str(conflict["service"]))


def lasting_kinds(conflict: Json) -> list[str]:
    """Return the answers that can be permanent, in the order in which they are offered."""
    return [kind for kind in LASTING if kind in conflict["choices"]]


def lasting_question(conflict: Json) -> str:
    """Return the question about a permanent answer."""
    return f"What is always to be done for {owner_of(conflict)}?"


def pins_of(answers: Iterable[PortAnswer]) -> dict[str, str]:
    """Return the policies to store, by service."""
    return {owner_of(each.conflict): each.kind for each in answers if each.always}
