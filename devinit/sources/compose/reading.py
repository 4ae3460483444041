"""The intermediate results of reading a compose project."""

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
    """The members, servers and native services of a compose project, as read so far."""

    project: ComposeProject
    members: dict[str, Member] = field(default_factory=dict)
    """By their names in the compose file."""
    names: dict[str, str] = field(default_factory=dict)
    """Their names in devinit, by their names in the compose file."""
    servers: dict[str, Server] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()
    """Services for whose completion others wait."""
    services: dict[str, Service] = field(default_factory=dict)
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    needs: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Servers that devinit does not run → services that need them → the variables that refer to them."""

    @property
    def bounds(self) -> Bounds:
        """The limits on reading files."""
        return self.project.bounds

    def note(self, place: Place, text: str) -> None:
        """Add a note about a line."""
        self.project.note(f"{place}: {text}")
