"""The interface of a kind whose program runs in a container, and so outside of the supervisor's processes."""

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
    """The address and ports of a container, according to its engine."""

    address: str
    ports: frozenset[int]


class FromInside(Struct, frozen=True, kw_only=True):
    """The address at which a container reaches the services of this machine."""

    host: str
    ports: Mapping[int, int]
    """Port on this machine → port at that host, for all reachable ports."""


class ContainerProvider(WebProvider):
    """A provider that runs a container. The process that it returns and the container end with each other."""

    @abstractmethod
    def published(self, service: Service, place: Place) -> Published | None:
        """Return the engine's record of a running container; None while it has none."""

    @abstractmethod
    def from_inside(self, service: Service, place: Place) -> FromInside:
        """Return the address at which the program reaches the services in `place.called`, once it is prepared."""

    @abstractmethod
    def inside(self, spec: ProcessSpec, service: Service, place: Place) -> ProcessSpec:
        """Return how to run a command in the container instead of on this machine."""

    @abstractmethod
    def usage(self, service: Service, place: Place) -> Usage | None:
        """Return the usage of the container without the process that represents it; None if it is hidden."""

    @abstractmethod
    def remains(self, service: Service, place: Place) -> bool:
        """Return whether a container of the service runs, or may run; this reads a few files."""

    @abstractmethod
    def end_remains(self, service: Service, place: Place) -> str:
        """End the container that is left after the end of all processes; return what prevents it. Blocking."""

    @abstractmethod
    def reached(self, service: Service, place: Place) -> Path:
        """Return the folder that exists while the container's engine can be asked."""
