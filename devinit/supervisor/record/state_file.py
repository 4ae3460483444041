"""`state.json`: what runs, so that the next supervisor can take it over. One writer: the supervisor."""

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
"""What this version writes, and the newest that it reads. A field that an older devinit may pass over keeps it."""
CALLER = "caller.json"
NAMES = frozenset({NAME, CALLER, SECRETS_FILE})


class ServiceRecord(Struct, frozen=True, kw_only=True):
    """A service that runs, or is wanted."""

    service: Service
    """As it was configured when it was started: enough to look after it even when devinit.toml is broken now."""
    identity: ProcessIdentity | None = None
    """None for a server that devinit does not run, and for a service that has no process at the moment."""
    ports: tuple[GrantedPort, ...] = ()
    phase: Phase = Phase.READY
    """What it was doing."""
    proven: bool = False
    """Whether it was ready at least once since it was asked for."""
    restarts: int = 0
    started_at: float | None = None
    """Unix time."""
    listener: int | None = None
    """The process that was found listening on its port."""
    basis: Basis | None = None
    """What its process was started with, beside its own configuration."""
    log_offset: int = 0
    """Where its run begins in the log."""
    terminal: TerminalHolder | None = None
    """What holds its terminal, if it has one. Missing in records of version 0.1, as the next one."""
    lent_terminal: bool = False
    """Whether it has one although its configuration wants none."""


class Moment(Struct, frozen=True, kw_only=True):
    """How a service came into its phase."""

    since: float
    """Monotonic seconds: they go on for as long as the boot lasts, and the record counts for no longer."""
    restarted_for: str | None = None
    """Why it was started again last, when no command asked for that and it had not failed."""


class EndedRecord(Struct, frozen=True, kw_only=True):
    """A service that is not started again: a job that has finished, or a service that has failed."""

    phase: Phase
    """EXITED or FAILED."""
    since: float
    """When it ended: monotonic seconds, as in `Moment`."""
    reason: str | None = None
    failure: Failure | None = None
    last_exit: int | None = None
    """The code of its end; negative: the signal."""
    restarts: int = 0
    started_at: float | None = None
    """Unix time."""
    log_offset: int = 0
    """Where its last run begins in the log."""


class Format(Struct, frozen=True):
    """What is read of the file before anything else."""

    version: int = 1


class State(Struct, frozen=True, kw_only=True):
    """The whole file."""

    version: int = FORMAT
    root: str = ""
    """The checkout that it describes: a copy of the folder has the file too, and none of the processes."""
    boot_id: str = ""
    """The kernel's boot: nothing of what it describes survives the next one, and nothing is started for it."""
    pid_namespace: str = ""
    """The pid namespace of the recorded pids; empty in records of version 0.1."""
    network_namespace: str = ""
    """Where the services on record listen; empty in records of version 0.1."""
    project: str = ""
    profile: str | None = None
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)
    """Keyed by service; missing in records of version 0.1."""
    ended: dict[str, EndedRecord] = field(default_factory=dict)
    """Keyed by service: those that are not among `services`. Missing in records of version 0.1."""


class RecordedService(Struct, frozen=True, kw_only=True):
    """The part of a recorded service that only its kind can read."""

    settings: dict[str, Any] | None = None  # any, until the kind has read it
    database: dict[str, Any] | None = None
    """In records of version 0.1, with the password in it; as the next two."""
    password: str | None = None
    binaries: str | None = None

    def settings_of_any_version(self) -> dict[str, Any]:
        """Return the settings; empty when there are none."""
        if self.settings is not None:
            return self.settings
        before = {"password": self.password, "binaries": self.binaries, **(self.database or {})}
        return before if any(before.values()) else {}


class RecordedEntry(Struct, frozen=True, kw_only=True):
    """A `ServiceRecord`, as far as only kinds can read it."""

    service: RecordedService


class RecordedState(Struct, frozen=True, kw_only=True):
    """The whole file, as far as only kinds can read it."""

    services: dict[str, RecordedEntry] = field(default_factory=dict)


def state_path(private: Path) -> Path:
    """Return where the state is kept."""
    return private / NAME


def read_state(private: Path) -> State:
    """Return what was recorded; nothing when there is no file. Raise StateFileError when it cannot be read."""
    path = state_path(private)
    text = read_text(path)
    if text is None or not text.strip("\0\n "):
        # A power cut may leave it without content: nothing runs any more of what it described.
        return State()
    try:
        written = msgspec.json.decode(text, type=Format).version
        if written > FORMAT:
            raise StateFileError(
                f"{path} was written by a newer devinit (format {written}); this is devinit {__version__} "
                f"(format {FORMAT})",
                hint="use the newer devinit in this project; what runs was left alone",
            )
        # Made only when there is something to read: 1 ms of the supervisor's start.
        state = msgspec.json.Decoder(State, dec_hook=read_back).decode(text)
        return with_settings(state, msgspec.json.decode(text, type=RecordedState))
    except (msgspec.DecodeError, RecursionError) as error:
        raise StateFileError(
            f"{path} cannot be read: {error}",
            hint="move it away and run the command again; what still runs is found by its ports",
        ) from error


def write_state(private: Path, state: State) -> None:
    """Replace the file. Not flushed to the disk: after a power cut nothing that it describes runs any more."""
    write_atomically(state_path(private), encoder.encode(state) + b"\n", mode=0o600, durable=False)


def caller_path(private: Path) -> Path:
    """Return where the environment is kept that services inherit. It may hold secrets: 0600, gone after a stop."""
    return private / CALLER


def write_caller(private: Path, environ: dict[str, str]) -> None:
    """Record the environment of the command that started services last, for a supervisor that takes over."""
    write_atomically(caller_path(private), encoder.encode(environ) + b"\n", mode=0o600, durable=False)


def read_caller(private: Path) -> dict[str, str] | None:
    """Return the environment that was recorded, or None when there is none that can be read."""
    try:
        text = read_text(caller_path(private))
        return msgspec.json.decode(text, type=dict[str, str]) if text is not None else None
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return None


def forget_caller(private: Path) -> None:
    """Remove it: nothing runs any more that could be started again."""
    with suppress(OSError):
        caller_path(private).unlink()


def with_settings(state: State, recorded: RecordedState) -> State:
    """Return a record in which each service has its settings: of which type they are, its kind says."""
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
    """Read back what JSON has not. Any is msgspec's own signature for this hook."""
    if wanted is Path:
        return Path(str(value))
    if wanted is Settings:
        return Settings()  # `with_settings` knows the kind
    raise NotImplementedError(f"cannot read a {wanted}")


encoder = msgspec.json.Encoder(enc_hook=str)
