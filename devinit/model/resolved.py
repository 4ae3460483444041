"""A resolved project: all that an exporter needs, as values without secrets. Pure.

It is the same on every machine with the same files and ports. A password, or a value that only the caller's shell
has, is a `Reference` to its variable.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from devinit.model.service import Condition, Health, Readiness, RestartPolicy


class Reader(StrEnum):
    """The place of the programs that use the addresses."""

    MACHINE = "machine"
    """Programs on this machine: `127.0.0.1:5432`, with the current ports."""
    CONTAINER = "container"
    """Programs in containers on one network: `postgres:5432`, with the preferred ports."""


class Reference(Struct, frozen=True):
    """A placeholder in a value for a text that is not written down."""

    variable: str
    """The variable that contains the text at run time: `POSTGRES_PASSWORD`."""


Piece: TypeAlias = str | Reference


class Value(Struct, frozen=True):
    """A text with placeholders for parts that are not written down."""

    pieces: tuple[Piece, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables to which it refers, each once."""
        return tuple(dict.fromkeys(each.variable for each in self.pieces if isinstance(each, Reference)))

    def written(
        self, reference: Callable[[str], str], literal: Callable[[str], str] = lambda text: text
    ) -> str:
        """Return the value in a file's notation: `reference` writes a variable, `literal` the text between."""
        return "".join(
            reference(each.variable) if isinstance(each, Reference) else literal(each) for each in self.pieces
        )


class ResolvedPort(Struct, frozen=True, kw_only=True):
    """One port of a service."""

    name: str
    """`web`, or `web.debugger` for an extra port."""
    number: int
    """The number at which clients reach it, on this machine or in its container."""
    preferred: int
    variable: str
    """The variable with the number: `WEB_DEBUGGER_PORT`."""
    url: str | None = None
    """For a browser; None if the port has no pages."""


class Role(StrEnum):
    """The role of a service for the others."""

    BACKEND = "backend"
    """Browsers call it from the pages of a frontend."""
    FRONTEND = "frontend"
    """Browsers load its pages."""
    DATA = "data"
    """A server that devinit provides: PostgreSQL, Redis."""
    JOB = "job"
    """Its work is done when it ends, and others wait for that."""
    WORKER = "worker"
    """Any other program without a port."""
    SERVER = "server"
    """Any other program with a port."""
    ELSEWHERE = "elsewhere"
    """A server of any kind that devinit neither starts nor stops."""


class Dependency(Struct, frozen=True):
    """A service for which another one waits."""

    service: str
    condition: Condition


class ContainerImage(Struct, frozen=True, kw_only=True):
    """A published image that can take the place of a kind of service."""

    name: str
    """With its tag: `postgres:16`."""
    port: int
    """The port on which it listens in its container; 0: none."""
    data: str = ""
    """The folder in the container that must persist; empty: none."""
    mounts: tuple[str, ...] = ()
    """Further mounts: `NAME:/PATH` is another volume, `./FOLDER:/PATH:ro` is in the project."""
    environment: dict[str, Value] = {}
    """The variables that configure it."""
    entrypoint: tuple[str, ...] = ()
    """Replaces the image's own entrypoint."""
    command: tuple[Value, ...] = ()
    """Arguments that replace the image's own."""
    health: str = ""
    """A shell command that succeeds in the container once it is ready; `$$` is one `$`. Empty: none."""
    provision: tuple[Value, ...] = ()
    """Shell commands for another container of the image, run once after the first start."""
    provision_environment: dict[str, Value] = {}


class Command(Struct, frozen=True):
    """A command line."""

    line: Value
    """The line for a shell."""
    words: tuple[Value, ...]
    """The arguments to execute: the words of a simple command, or `sh -c LINE`."""
    needs_shell: bool


class EnvFile(Struct, frozen=True):
    """A `.env` file that a service gets."""

    path: str
    """Relative to the project; absolute if it lies outside."""
    is_stated: bool
    """Whether the configuration names it. A default file may be missing."""
    is_there: bool
    """Whether it exists; only for messages, because no exported file may depend on it."""


class ResolvedService(Struct, frozen=True, kw_only=True):
    """One service, with everything that is needed to run it."""

    name: str
    kind: str
    role: Role
    language: str = ""
    """The language of its program: `python`, `node`; empty if its command does not show it."""
    folder: str = "."
    """Its working directory, relative to the project; absolute if it lies outside."""
    command: Command | None = None
    """None for a server that its kind provides, and for one elsewhere."""
    tools: tuple[str, ...] = ()
    """Folders that come first in its PATH, relative to the project: `backend/.venv/bin`. They include a folder
    into which packages are installed later."""
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
    """The configured signal, without SIG; None: the default."""
    grace_seconds: float | None = None
    environment: dict[str, Value] = {}
    """Its environment, without the values from `env_files` and the caller's shell."""
    env_files: tuple[EnvFile, ...] = ()
    """The `.env` files that it gets, whether they exist or not; later ones take precedence."""
    autostart: bool = True
    once: bool = False
    image: ContainerImage | None = None
    """The image that runs it in a container; None for a program of the project."""
    dockerfile: str | None = None
    """The Dockerfile in its folder, relative to the project, unless `devinit export` wrote it."""
    exported_dockerfile: str | None = None
    """The Dockerfile that `devinit export` wrote, if unchanged, relative to the project."""
    manifests: tuple[str, ...] = ()
    """The files in its folder that declare and lock packages: `requirements.txt`, `package-lock.json`."""


class ResolvedTask(Struct, frozen=True, kw_only=True):
    """A command that the user runs by its name."""

    name: str
    description: str | None = None


class Resolved(Struct, frozen=True, kw_only=True):
    """A project, resolved for a reader."""

    project: str
    root: Path
    source: str
    """The source of the project, in words: `devinit.toml`, `what was detected`."""
    reader: Reader
    services: tuple[ResolvedService, ...]
    """In the order of the file."""
    environment: dict[str, Value] = {}
    """The runtime environment, as in `.env.runtime`."""
    tasks: tuple[ResolvedTask, ...] = ()
