"""What a project resolves to: all that an exporter needs, as values without secrets. Pure.

It is the same on every machine that has the same files and ports. A password, and what only the caller's shell
knows, is a `Reference` to the variable that has it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from devinit.model.service import Condition, Health, Readiness, RestartPolicy


class Reader(StrEnum):
    """Where the programs run that use the addresses."""

    MACHINE = "machine"
    """By programs on this machine: `127.0.0.1:5432`, on the present ports."""
    CONTAINER = "container"
    """By programs in containers on one network: `postgres:5432`, on the preferred ports."""


class Reference(Struct, frozen=True):
    """A place in a value for what is not written down."""

    variable: str
    """The variable that has it when the program runs: `POSTGRES_PASSWORD`."""


Piece: TypeAlias = str | Reference


class Value(Struct, frozen=True):
    """A text with places for what is not written down."""

    pieces: tuple[Piece, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that it refers to, each once."""
        return tuple(dict.fromkeys(each.variable for each in self.pieces if isinstance(each, Reference)))

    def written(
        self, reference: Callable[[str], str], literal: Callable[[str], str] = lambda text: text
    ) -> str:
        """Return the value in a file's own form: `reference` writes a variable, `literal` the text between."""
        return "".join(
            reference(each.variable) if isinstance(each, Reference) else literal(each) for each in self.pieces
        )


class ResolvedPort(Struct, frozen=True, kw_only=True):
    """One port of a service."""

    name: str
    """`web`, or `web.debugger` for a further port."""
    number: int
    """On which it is reached: on this machine, or in its container."""
    preferred: int
    variable: str
    """The variable that has the number: `WEB_DEBUGGER_PORT`."""
    url: str | None = None
    """For a browser; None where it has no pages."""


class Role(StrEnum):
    """What a service is for the others."""

    BACKEND = "backend"
    """Browsers call it from the pages of a frontend."""
    FRONTEND = "frontend"
    """Browsers load its pages."""
    DATA = "data"
    """A server that devinit runs by itself: PostgreSQL, Redis."""
    JOB = "job"
    """It has done its work when it ends, and others wait for that."""
    WORKER = "worker"
    """Any other program without a port."""
    SERVER = "server"
    """Any other program with one."""
    ELSEWHERE = "elsewhere"
    """It runs elsewhere, whatever it is: devinit neither starts nor stops it."""


class Dependency(Struct, frozen=True):
    """A service that another one waits for."""

    service: str
    condition: Condition


class ContainerImage(Struct, frozen=True, kw_only=True):
    """A published image that does what a kind of service does."""

    name: str
    """With its tag: `postgres:16`."""
    port: int
    """On which it listens in its container; 0: on none."""
    data: str = ""
    """The folder in the container that has to outlive it; empty: none."""
    mounts: tuple[str, ...] = ()
    """What else it has: `NAME:/PATH` is another volume, `./FOLDER:/PATH:ro` lies in the project."""
    environment: dict[str, Value] = {}
    """What it is configured with."""
    entrypoint: tuple[str, ...] = ()
    """What is run instead of the image's own."""
    command: tuple[Value, ...] = ()
    """Arguments instead of its own."""
    health: str = ""
    """A line of shell that succeeds in the container once it is ready; `$$` is one `$`. Empty: none."""
    provision: tuple[Value, ...] = ()
    """Lines of shell for another container of the image, run once after the first start."""
    provision_environment: dict[str, Value] = {}


class Command(Struct, frozen=True):
    """A command line."""

    line: Value
    """As a shell reads it."""
    words: tuple[Value, ...]
    """What is executed: the words of a simple command, or `sh -c LINE`."""
    needs_shell: bool


class EnvFile(Struct, frozen=True):
    """A `.env` file that a service is given."""

    path: str
    """Relative to the project; absolute where it lies outside of it."""
    is_stated: bool
    """Whether the configuration names it. One that is merely looked for may be missing."""
    is_there: bool
    """For what is said to the user: a file must not depend on it."""


class ResolvedService(Struct, frozen=True, kw_only=True):
    """One service, with everything that is needed to run it."""

    name: str
    kind: str
    role: Role
    language: str = ""
    """In which its program is written: `python`, `node`; empty when its command does not say."""
    folder: str = "."
    """Where it runs, relative to the project; absolute where it lies outside of it."""
    command: Command | None = None
    """None for a server that a kind runs by itself, and for one elsewhere."""
    tools: tuple[str, ...] = ()
    """Folders that come first in its PATH, relative to the project: `backend/.venv/bin`. One that packages are
    installed into later is among them."""
    setup: tuple[Command, ...] = ()
    before_start: tuple[Command, ...] = ()
    host: str = "127.0.0.1"
    port: ResolvedPort | None = None
    extra_ports: tuple[ResolvedPort, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    ready: Readiness = Readiness()
    health: Health | None = None
    restart: RestartPolicy = RestartPolicy()
    stop_signal: str | None = None
    """The configured signal, without SIG; None: the usual one."""
    grace_seconds: float | None = None
    environment: dict[str, Value] = {}
    """What it is given, without what `env_files` and the caller's shell say."""
    env_files: tuple[EnvFile, ...] = ()
    """The `.env` files that it is given, whether they are there or not; those that count more later."""
    autostart: bool = True
    once: bool = False
    image: ContainerImage | None = None
    """What runs it in a container; None for a program of the project."""
    dockerfile: str | None = None
    """The Dockerfile in its folder, relative to the project; none that `devinit export` has written."""
    exported_dockerfile: str | None = None
    """The one that `devinit export` has written, as it was written, relative to the project."""
    manifests: tuple[str, ...] = ()
    """The files of its folder that declare and lock packages: `requirements.txt`, `package-lock.json`."""


class ResolvedTask(Struct, frozen=True, kw_only=True):
    """A command that a user runs by its name."""

    name: str
    description: str | None = None


class Resolved(Struct, frozen=True, kw_only=True):
    """A project, resolved for a reader."""

    project: str
    root: Path
    source: str
    """What it was read from, in words: `devinit.toml`, `what was detected`."""
    reader: Reader
    services: tuple[ResolvedService, ...]
    """In the order of the file."""
    environment: dict[str, Value] = {}
    """The runtime environment, as `.env.runtime` has it."""
    tasks: tuple[ResolvedTask, ...] = ()
