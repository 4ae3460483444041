"""What the supervisor asks of a provider, so that it never knows which kind of service it runs.

A provider holds no state: what it must remember lies in the data directory, beside what it describes.
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
"""What the developer should still see when everything is up."""
Advice: TypeAlias = tuple[tuple[str, str], ...]
"""Problems, each with what can be done about it."""
Stated: TypeAlias = Callable[[], Mapping[str, str]]
"""Reads what the project's own files say, by variable or by file: `.env`, `[environment]`, alembic.ini."""

WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound


class Place(Struct, frozen=True, kw_only=True):
    """Where a service is brought up: the checkout, its data directory and the caller's environment."""

    project: str
    root: Path
    data: Path
    """Where the data of this checkout lies, in the user's state directory; created when it is needed."""
    environment: dict[str, str]
    """The caller's: PATH, DEVINIT_PG_BIN."""
    color: bool = False
    """Whether the output is read on a terminal: services are then asked for colours."""
    only_looks: bool = False
    """Nothing is run that the repository brings or chooses: its owner has not asked for a start of it."""
    called: Collection[int] = ()
    """For a container: the ports of this machine at which services answer that its program may call."""


class Install(Struct, frozen=True, kw_only=True):
    """A command that installs what a service lacks."""

    folder: Path
    command: str
    missing: str
    """What is missing, in words."""
    is_by_hand: bool = False
    """Whether only the user can carry it out: it changes a shell, or the machine, and not the project."""
    words: str = ""
    """The advice where the command alone is none."""

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

    What is not abstract suits a program that keeps no data, needs nothing before it is started, and has nothing to
    be provisioned. `WebProvider` is the base for one with web pages.
    """

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with the names and the password that its server has, or gets at its next start.

        A password that no file names is made and kept beside the data. Raise StateFileError when it cannot be.
        """
        del place, stated
        return service

    @abstractmethod
    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return where the service answers and what others need to use it; pure."""

    def has_data(self, name: str, place: Place) -> bool:
        """Return whether there is data of this kind under the name of a service."""
        del name, place
        return False

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether `prepare` will run programs or copy files: a look at a few files, 0.2 ms at most."""
        del service, place
        return False

    def install(self, service: Service, place: Place) -> Install | None:
        """Return what installs the packages that the service lacks, where it has no `setup`; None when it has all.

        It may run programs: blocking.
        """
        del service, place
        return None

    def update(self, service: Service, place: Place) -> Install | None:
        """Return what brings packages that are installed up to what the service's files declare now.

        None where they are not older than those files. `install` is for packages that are missing.
        """
        del service, place
        return None

    def lacking(self, service: Service, place: Place) -> Install | None:
        """Return what a service needs first, where `prepare` would refuse it for that; None when it lacks nothing.

        It may run programs: blocking.
        """
        del service, place
        return None

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Make everything ready for the process, or raise ServiceError; before every spawn."""
        del service, place, say
        return ()

    @abstractmethod
    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return what to start with this environment, or None for a server that devinit does not run."""

    @abstractmethod
    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return how the service is proven ready."""

    def is_provisioned(self, service: Service, place: Place) -> bool:
        """Return whether `provision` has nothing to do, as far as a few files tell."""
        del service, place
        return True

    def provision(self, service: Service, endpoint: Endpoint, place: Place, say: Say) -> Notes:
        """Create inside the running server what the project expects; blocking, after the probe is ready."""
        del service, endpoint, place, say
        return ()

    def clients(self, service: Service, place: Place) -> tuple[Path, ...]:
        """Return the folders with the client programs of the server that was chosen; none before that."""
        del service, place
        return ()

    def running(self, service: Service, endpoint: Endpoint) -> RunningServer | None:
        """Ask what runs on the endpoint already whether the service could use it; blocks for a second at most.

        None when there is no protocol that would tell.
        """
        del service, endpoint
        return None

    def data(self, service: Service, place: Place) -> Path | None:
        """Return the directory that the service's own server works in; None when there is none."""
        del service, place
        return None

    def data_identity(self, service: Service, endpoint: Endpoint, place: Place) -> str | None:
        """Return what tells the data of a service from data that takes its place; None when that is not known.

        Blocking; the server is asked where it runs. Of one elsewhere its address is all that is known. Raise
        OSError or a DevinitError where it cannot be told.
        """
        if service.external_url is not None:
            return f"{endpoint.host}:{endpoint.port}"
        folder = self.data(service, place)
        if folder is None or not folder.is_dir():
            return None
        return f"{folder.stat().st_ino}:{birth_of(folder)}"

    def loss(self, service: Service, place: Place, process_id: int | None) -> str:
        """Say what a server that was started has lost of its data, and what to do; it looks at a few files.

        Empty when all is there, or the service has none. `process_id` is None when the server has ended.
        """
        del service, place, process_id
        return ""

    def with_kept_names(self, service: Service, place: Place) -> Service:
        """Return the service with the names that its data has, where devinit.toml states none; for `init`."""
        del place
        return service

    def shortcomings(self, service: Service, place: Place) -> Advice:
        """Return what the project's files want that the chosen server cannot do, with the cure; for `doctor`."""
        del service, place
        return ()

    def stop(self, service: Service) -> StopPolicy:
        """Return how the process is asked to end; pure."""
        return service.stop or StopPolicy()


class WebProvider(Provider):
    """Runs a program that speaks HTTP on its port, if it has one: only `process` is left to say."""

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the browser's address: `localhost`, which Vite and Next accept without configuration."""
        if service.external_url is not None:
            return _external(service, service.external_url)
        host = reachable(service.host)
        if port is None:
            return Endpoint(service=service.name, host=host, port=None, url=None)
        return _web_endpoint(service, host, port, f"{service.scheme or Scheme.HTTP}://localhost:{port}")

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return what `ready` asks for; a connection when it asks for nothing."""
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
    """Return the address under which a client on this machine reaches a server that listens on `host`."""
    return WILDCARDS.get(host, host)


def listen_addresses(host: str) -> tuple[str, ...]:
    """Return what a server binds for a host: both loopback addresses for either.

    `localhost` means ::1 to some clients and 127.0.0.1 to others; when both are ours, no stranger can come to
    listen on the other one. Whether this machine has ::1 is tried, because PostgreSQL warns when it has not.
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
