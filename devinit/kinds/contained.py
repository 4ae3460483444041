"""What the supervisor asks a kind whose program runs in a container, and so outside of its processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from devinit.kinds.provider import Place, WebProvider
from devinit.model.process import ProcessSpec
from devinit.model.service import Service
from devinit.system.usage import Usage


class Published(Struct, frozen=True, kw_only=True):
    """Where an engine lets a container be reached, by its own record."""

    address: str
    ports: frozenset[int]


class FromInside(Struct, frozen=True, kw_only=True):
    """Where a container reaches the services of this machine."""

    host: str
    ports: Mapping[int, int]
    """Port on this machine → port at that host; without the ports that it does not reach."""


class ContainerProvider(WebProvider):
    """Runs a container. The process that it returns stands for that, ends with it, and ends it."""

    @abstractmethod
    def published(self, service: Service, place: Place) -> Published | None:
        """Return what the engine has on record for a container that runs; None as long as it says nothing."""

    @abstractmethod
    def from_inside(self, service: Service, place: Place) -> FromInside:
        """Return where the program reaches the services of `place.called`, once they were prepared for it."""

    @abstractmethod
    def inside(self, spec: ProcessSpec, service: Service, place: Place) -> ProcessSpec:
        """Return how a command is run in the container that runs on this machine otherwise."""

    @abstractmethod
    def usage(self, service: Service, place: Place) -> Usage | None:
        """Return what the container uses beside the process that stands for it; None where that is hidden."""

    @abstractmethod
    def remains(self, service: Service, place: Place) -> bool:
        """Return whether a container of the service runs, or may run; it looks at a few files."""

    @abstractmethod
    def end_remains(self, service: Service, place: Place) -> str:
        """End the container that the end of all processes has left; return what is in the way. Blocking."""

    @abstractmethod
    def reached(self, service: Service, place: Place) -> Path:
        """Return the folder that is there for as long as the container's engine can be asked."""
