"""The state of reading a compose project."""

from __future__ import annotations

from msgspec import Struct, field

from devinit.model.evidence import Evidence
from devinit.model.service import Service
from devinit.sources.addresses import Server
from devinit.sources.compose.project_files import ComposeProject
from devinit.sources.compose.roles import Member
from devinit.sources.yaml_nodes import Place
from devinit.system.bounds import Bounds


class Reading(Struct):
    """What is made of a compose project, as far as it has been made."""

    project: ComposeProject
    members: dict[str, Member] = field(default_factory=dict)
    """Keyed by what the compose file calls them."""
    names: dict[str, str] = field(default_factory=dict)
    """What they are called here."""
    servers: dict[str, Server] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()
    """Those whose end others wait for."""
    services: dict[str, Service] = field(default_factory=dict)
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    needs: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """What devinit does not run → what needs it → the variables that name it."""

    @property
    def bounds(self) -> Bounds:
        """How far is read."""
        return self.project.bounds

    def note(self, place: Place, text: str) -> None:
        """Say something about a line."""
        self.project.note(f"{place}: {text}")
