"""`state.json`: the running services, so that the next supervisor can take over. Only the supervisor writes it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from devinit import __version__
from devinit.errors import StateFileError
from devinit.kinds import Keys, kind_of
from devinit.logs import SECRETS_FILE
from devinit.model.port import GrantedPort
from devinit.model.process import ProcessIdentity, TerminalHolder
from devinit.model.service import Service, Settings
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure
from devinit.supervisor.project.drift import Basis
from devinit.system.files import read_text, write_atomically

NAME = "state.json"
FORMAT = 1
"""The format that this version writes, and the newest one that it reads. A new field that an older devinit may
ignore does not change it.
"""
CALLER = "caller.json"
NAMES = frozenset({NAME, CALLER, SECRETS_FILE})


class ServiceRecord(Struct, frozen=True, kw_only=True):
    """The record of a service that runs or is wanted."""

    service: Service
    """The configuration with which it was started: enough to look after it even if devinit.toml is broken now."""
    identity: ProcessIdentity | None = None
    """None for a server that devinit does not run, and for a service that has no process at the moment."""
    ports: tuple[GrantedPort, ...] = ()
    phase: Phase = Phase.READY
    """The phase at the time of writing."""
    proven: bool = False
    """Whether it was ready at least once since the order to start."""
    restarts: int = 0
    started_at: float | None = None
    """Unix time."""
    listener: int | None = None
    """The process that was found listening on its port."""
    basis: Basis | None = None
    """The inputs of its start besides its own configuration."""
    log_offset: int = 0
    """Offset in the log at which its run begins."""
    terminal: TerminalHolder | None = None
    """The holder of its terminal, if it has one. This field and the next are missing in records of version 0.1."""
    lent_terminal: bool = False
    """Whether it has a terminal although its configuration does not ask for one."""


class Moment(Struct, frozen=True, kw_only=True):
    """When and why a service entered its phase."""

    since: float
    """Monotonic seconds, which count for as long as the boot lasts; the record is valid no longer than that."""
    restarted_for: str | None = None
    """The reason for the last restart that neither a command nor a failure caused."""


class EndedRecord(Struct, frozen=True, kw_only=True):
    """The record of a service that is not started again: a finished job, or a failed service."""

    phase: Phase
    """EXITED or FAILED."""
    since: float
    """When it ended, in monotonic seconds as in `Moment`."""
    reason: str | None = None
    failure: Failure | None = None
    last_exit: int | None = None
    """The exit code; negative: the signal."""
    restarts: int = 0
    started_at: float | None = None
    """Unix time."""
    log_offset: int = 0
    """Offset in the log at which its last run begins."""


class Format(Struct, frozen=True):
    """The part of the file that is read first."""

    version: int = 1


class State(Struct, frozen=True, kw_only=True):
    """The whole content of the file."""

    version: int = FORMAT
    root: str = ""
    """The checkout that the file describes. A copy of the folder has the file too, but none of the processes."""
    boot_id: str = ""
    """The id of the kernel's boot: no process that the file describes survives it, and none is started because
    of it.
    """
    pid_namespace: str = ""
    """The pid namespace of the recorded pids; empty in records of version 0.1."""
    network_namespace: str = ""
    """The network namespace in which the services listen; empty in records of version 0.1."""
    project: str = ""
    profile: str | None = None
    names: bool = False
    """Whether a start asked for names. Missing in records of version 0.1."""
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)
    """Service → moment; missing in records of version 0.1."""
    ended: dict[str, EndedRecord] = field(default_factory=dict)
    """Service → record, for services that are not in `services`. Missing in records of version 0.1."""


class RecordedService(Struct, frozen=True, kw_only=True):
    """The part of a recorded service that only its kind can read."""

    settings: dict[str, Any] | None = None  # any, until the kind has read it
    database: dict[str, Any] | None = None
    """In records of version 0.1, like the next two; it contains the password."""
    password: str | None = None
    binaries: str | None = None

    def settings_of_any_version(self) -> dict[str, Any]:
        """Return the settings; empty when there are none."""
        if self.settings is not None:
            return self.settings
        before = {"password": self.password, "binaries": self.binaries, **(self.database or {})}
        return before if any(before.values()) else {}


class RecordedEntry(Struct, frozen=True, kw_only=True):
    """The part of a `ServiceRecord` that only kinds can read."""

    service: RecordedService


class RecordedState(Struct, frozen=True, kw_only=True):
    """The part of the file that only kinds can read."""

    services: dict[str, RecordedEntry] = field(default_factory=dict)


def state_path(private: Path) -> Path:
    """Return the path of the state file."""
    return private / NAME


def read_state(private: Path) -> State:
    """Return the recorded state; an empty one if there is no file. Raise StateFileError when it cannot be read."""
    path = state_path(private)
    text = read_text(path)
    if text is None or not text.strip("\0\n "):
        # A power failure may leave it empty: no process that it described runs any more.
        return State()
    try:
        written = msgspec.json.decode(text, type=Format).version
        if written > FORMAT:
            raise StateFileError(
                f"{path} was written by a newer devinit (format {written}); this is devinit {__version__} "
                f"(format {FORMAT})",
                hint="use the newer devinit in this project; what runs was left alone",
            )
        # Only created when there is something to read, since it takes 1 ms of the supervisor's start.
        state = msgspec.json.Decoder(State, dec_hook=read_back).decode(text)
        return with_settings(state, msgspec.json.decode(text, type=RecordedState))
    except (msgspec.DecodeError, RecursionError) as error:
        raise StateFileError(
            f"{path} cannot be read: {error}",
            hint="move it away and run the command again; what still runs is found by its ports",
        ) from error


def write_state(private: Path, state: State) -> None:
    """Replace the file. It is not flushed to disk, since no process that it describes survives a power failure."""
    write_atomically(state_path(private), encoder.encode(state) + b"\n", mode=0o600, durable=False)


def caller_path(private: Path) -> Path:
    """Return the path of the environment that services inherit.

    It may hold secrets, so its mode is 0600 and it is removed after a stop.
    """
    return private / CALLER


def write_caller(private: Path, environ: dict[str, str]) -> None:
    """Record the environment of the command that last started services, for a supervisor that takes over."""
    write_atomically(caller_path(private), encoder.encode(environ) + b"\n", mode=0o600, durable=False)


def read_caller(private: Path) -> dict[str, str] | None:
    """Return the recorded environment; None when there is none, or it cannot be read."""
    try:
        text = read_text(caller_path(private))
        return msgspec.json.decode(text, type=dict[str, str]) if text is not None else None
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return None


def forget_caller(private: Path) -> None:
    """Remove the recorded environment: no service runs any more that could be started again."""
    with suppress(OSError):
        caller_path(private).unlink()


def with_settings(state: State, recorded: RecordedState) -> State:
    """Return the record with the settings of each service; the service's kind determines their type."""
    services = {}
    for name, record in state.services.items():
        kind, values = kind_of(record.service), recorded.services[name].service.settings_of_any_version()
        wanted = kind.settings or kind.own
        settings = (
            msgspec.convert(values, wanted, dec_hook=read_back) if values and wanted is not Keys else None
        )
        services[name] = replace(record, service=replace(record.service, settings=settings))
    return replace(state, services=services)


def read_back(wanted: type[Any], value: object) -> Any:
    """Convert values of types that JSON lacks. `Any` is msgspec's own signature for this hook."""
    if wanted is Path:
        return Path(str(value))
    if wanted is Settings:
        return Settings()  # `with_settings` knows the kind
    raise NotImplementedError(f"cannot read a {wanted}")


encoder = msgspec.json.Encoder(enc_hook=str)
