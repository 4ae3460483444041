"""The interface of providers, by which the supervisor runs services without knowing their kinds.

A provider holds no state: anything that it must remember is in the data directory, next to the data.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from devinit.model.probe import ExecProbe, HttpProbe, LogProbe, Probe, StayedUpProbe, TcpProbe
from devinit.model.process import ProcessSpec
from devinit.model.running import RunningServer
from devinit.model.service import Endpoint, Scheme, Service, StopPolicy
from devinit.system.birth import birth_of

Say: TypeAlias = Callable[[str], None]
"""Shows the waiting user what takes time, one short line at a time."""

Notes: TypeAlias = tuple[str, ...]
"""Messages that the developer should still see when everything is up."""
Advice: TypeAlias = tuple[tuple[str, str], ...]
"""Problems, each with advice."""
Stated: TypeAlias = Callable[[], Mapping[str, str]]
"""Reads the values in the project's own files, by variable or by file: `.env`, `[environment]`, alembic.ini."""

WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound


class Place(Struct, frozen=True, kw_only=True):
    """The surroundings of a service: the checkout, its data directory and the caller's environment."""

    project: str
    root: Path
    data: Path
    """The folder for data of this checkout, in the user's state directory; created when needed."""
    environment: dict[str, str]
    """The caller's environment: PATH, DEVINIT_PG_BIN."""
    color: bool = False
    """Whether the output is shown on a terminal, so that services are asked for colours."""
    only_looks: bool = False
    """Whether nothing may run that the repository contains or chooses, because the user
    has not asked for a start."""
    called: Collection[int] = ()
    """For a container: ports of services on this machine that its program may call."""


class Install(Struct, frozen=True, kw_only=True):
    """A command that installs something that a service lacks."""

    folder: Path
    command: str
    missing: str
    """The missing part, in words."""
    is_by_hand: bool = False
    """Whether only the user can run it, because it changes a shell or the machine, and not the project."""
    words: str = ""
    """The advice, if the command alone is not enough."""

    @property
    def advice(self) -> str:
        """The advice to install it."""
        if self.is_by_hand:
            return self.words or f"run `{self.command}`, and start again"
        return (
            f"run `{self.command}` in {self.folder}, or let it run by itself: `devinit start --setup` once, "
            f'setup = ["{self.command}"] whenever what it depends on changes'
        )


class Provider(ABC):
    """One way to run a service. The methods are called in this order, for each start and each restart.

    The defaults suit a program that keeps no data, needs no preparation, and has nothing to provision.
    `WebProvider` is the base class for programs with web pages.
    """

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with the names and the password that its server has, or gets at its next start.

        A password that no file names is created and stored next to the data. Raise StateFileError if that fails.
        """
        del place, stated
        return service

    @abstractmethod
    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the address of the service and what others need to use it; pure."""

    def has_data(self, name: str, place: Place) -> bool:
        """Return whether there is data of this kind under the name of a service."""
        del name, place
        return False

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether `prepare` will run programs or copy files; this reads a few files, in 0.2 ms at most."""
        del service, place
        return False

    def install(self, service: Service, place: Place) -> Install | None:
        """Return how to install missing packages of a service without `setup`; None if it has all.

        It may run programs: blocking.
        """
        del service, place
        return None

    def update(self, service: Service, place: Place) -> Install | None:
        """Return how to update installed packages to what the service's files declare now.

        None if they are not older than those files. `install` is for missing packages.
        """
        del service, place
        return None

    def lacking(self, service: Service, place: Place) -> Install | None:
        """Return what a service needs first, if `prepare` would refuse it for that; None if it lacks nothing.

        It may run programs: blocking.
        """
        del service, place
        return None

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Make everything ready for the process, or raise ServiceError; called before each of its starts."""
        del service, place, say
        return ()

    @abstractmethod
    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the process to start with this environment, or None for a server that devinit does not run."""

    @abstractmethod
    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return the probe of the service's readiness."""

    def is_provisioned(self, service: Service, place: Place) -> bool:
        """Return whether `provision` has nothing to do, according to a few files."""
        del service, place
        return True

    def provision(self, service: Service, endpoint: Endpoint, place: Place, say: Say) -> Notes:
        """Create what the project expects inside the running server; blocking, called after the probe is ready."""
        del service, endpoint, place, say
        return ()

    def clients(self, service: Service, place: Place) -> tuple[Path, ...]:
        """Return the folders with the client programs of the chosen server; empty before the choice."""
        del service, place
        return ()

    def running(self, service: Service, endpoint: Endpoint) -> RunningServer | None:
        """Ask the server on the endpoint whether the service could use it; blocks for a second at most.

        None if there is no protocol for that.
        """
        del service, endpoint
        return None

    def data(self, service: Service, place: Place) -> Path | None:
        """Return the working directory of the service's own server; None if there is none."""
        del service, place
        return None

    def data_identity(self, service: Service, endpoint: Endpoint, place: Place) -> str | None:
        """Return an identifier of a service's data that changes when other data replaces it; None if unknown.

        Blocking; a running server is asked. For an external one, only its address is known. Raise OSError or a
        DevinitError if it cannot be determined.
        """
        if service.external_url is not None:
            return f"{endpoint.host}:{endpoint.port}"
        folder = self.data(service, place)
        if folder is None or not folder.is_dir():
            return None
        return f"{folder.stat().st_ino}:{birth_of(folder)}"

    def loss(self, service: Service, place: Place, process_id: int | None) -> str:
        """Return which data a started server has lost, with advice; this reads a few files.

        Empty if the data is complete, or the service has none. `process_id` is None if the server has ended.
        """
        del service, place, process_id
        return ""

    def with_kept_names(self, service: Service, place: Place) -> Service:
        """Return the service with the names in its data, if devinit.toml states none; for `init`."""
        del place
        return service

    def shortcomings(self, service: Service, place: Place) -> Advice:
        """Return what the project's files need that the chosen server lacks, with advice; for `doctor`."""
        del service, place
        return ()

    def stop(self, service: Service) -> StopPolicy:
        """Return how to stop the process; pure."""
        return service.stop or StopPolicy()


class WebProvider(Provider):
    """The base class for programs that speak HTTP on their port, if any: only `process` has to be defined."""

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the address for browsers: `localhost`, which Vite and Next accept without configuration."""
        if service.external_url is not None:
            return _external(service, service.external_url)
        host = reachable(service.host)
        if port is None:
            return Endpoint(service=service.name, host=host, port=None, url=None)
        return _web_endpoint(service, host, port, f"{service.scheme or Scheme.HTTP}://localhost:{port}")

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return the probe that `ready` states; by default, a connection."""
        del place
        ready = service.ready
        if ready.exec is not None:
            return ExecProbe(ready.exec)
        if ready.log is not None:
            return LogProbe(ready.log)
        if endpoint.port is None:
            return StayedUpProbe(ready.stays_up_seconds, settles=ready.after_seconds is None)
        if ready.http is not None:
            return HttpProbe.of(endpoint, _path(ready.http), status=ready.status, body=ready.body)
        return TcpProbe(endpoint.host, endpoint.port)


def reachable(host: str) -> str:
    """Return the address at which a client on this machine reaches a server that listens on `host`."""
    return WILDCARDS.get(host, host)


def listen_addresses(host: str) -> tuple[str, ...]:
    """Return the addresses that a server binds for a host: both loopback addresses for either one.

    Some clients resolve `localhost` to ::1, others to 127.0.0.1; if both are ours, no other server can listen on
    one of them. ::1 is tested, because PostgreSQL warns if the machine does not have it.
    """
    if host not in {"127.0.0.1", "localhost", "::1"}:
        return (host,)
    return ("127.0.0.1", "::1") if _has_ipv6_loopback() else ("127.0.0.1",)


def _external(service: Service, url: str) -> Endpoint:
    from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

    address = address_of(url, service.name)
    return _web_endpoint(service, address.host, address.port, address.origin)


def _web_endpoint(service: Service, host: str, port: int, origin: str) -> Endpoint:
    numeric = origin.replace("//localhost:", "//127.0.0.1:")
    health = service.ready.http
    return Endpoint(
        service=service.name,
        host=host,
        port=port,
        url=service.external_url or origin + _path(service.url_path),
        origins=(origin,) if numeric == origin else (origin, numeric),
        aliases=service.port_env,
        docs_url=None if service.docs_path is None else origin + _path(service.docs_path),
        health_url=None if health is None else origin + _path(health),
    )


def _path(path: str) -> str:
    return path if not path or path.startswith("/") else f"/{path}"


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
