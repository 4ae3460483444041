"""What the supervisor understands: the parameters of each method, checked as they arrive."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from devinit.model.port import HIGHEST_PORT, ConflictPolicy, Resolution
from devinit.model.process import ProcessIdentity


class Request(Struct, frozen=True):
    """A JSON-RPC 2.0 request."""

    method: str
    id: int | str | None = None
    params: msgspec.Raw = msgspec.Raw(b"{}")


class ServicesParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Names of services; none means all."""

    services: tuple[str, ...] = ()


class StopParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Stop services; none means all."""

    services: tuple[str, ...] = ()
    force: bool = False
    """Do not wait for a polite end; what is just being ended is ended at once, too."""


class StartParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bring services up, with all that they depend on."""

    services: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    """The caller's environment: what the services inherit, and where <SERVICE>_PORT is looked up."""
    on_conflict: ConflictPolicy = ConflictPolicy.MOVE
    can_answer: bool = False
    """The caller can ask a person: conflicts that a service wants asked come back as questions."""
    resolutions: tuple[Resolution, ...] = ()
    profile: str | None = None
    timeout_seconds: float | None = None
    """For the whole start; None leaves it to each service's own deadline."""
    only_changed: bool = False
    """Of a restart: leave alone what still runs as the files say."""
    sets_up: bool = False
    """Run the `setup` of what is started, also where nothing that it depends on has changed."""
    in_terminals: tuple[str, ...] = ()
    """Of a restart: services that have a terminal until they are started by another order."""


class EnvironmentParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The runtime environment as it is, or as it would be."""

    environ: dict[str, str] = field(default_factory=dict)
    profile: str | None = None


class CommandParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a command is given that runs beside the services."""

    environ: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    test: bool = False
    """The test databases under the names of the others."""
    service: str | None = None
    """The command runs as this service does: in its folder, with its environment and its tools."""
    directory: str | None = None
    """Or in this folder, absolute, whose tools it finds."""


class StatusParams(Struct, frozen=True, forbid_unknown_fields=True):
    """What every service is doing."""

    measure: bool = True
    """Also what it uses, which takes a walk through all processes."""


class ServiceParams(Struct, frozen=True, forbid_unknown_fields=True):
    """One service."""

    service: str


class InputParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Something to write to the standard input of a service; with no text, only what is unread is asked."""

    service: str
    text: str = ""
    """At most 4096 bytes as UTF-8; a line ends with a line feed."""


class WaitParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Wait until services are live; none means all that are not stopped."""

    services: tuple[str, ...] = ()
    after: float | None = None
    """Unix time: only what a service is since then counts."""
    timeout_seconds: float = 60.0


class EventsParams(Struct, frozen=True, forbid_unknown_fields=True):
    """What has happened, and what happens from now on."""

    after: float = 0.0
    """Unix time: leave out what happened before."""
    follow: bool = False
    """Do not answer, and tell every event until the client hangs up."""


class PortParams(Struct, frozen=True, forbid_unknown_fields=True):
    """One port."""

    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)]


class ChooseParams(Struct, frozen=True, forbid_unknown_fields=True):
    """A port for the next start of a service; None: the next free one of its range."""

    service: str
    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)] | None = None


class FreeParams(Struct, frozen=True, forbid_unknown_fields=True):
    """A port, and exactly the holders that were shown."""

    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)]
    holders: tuple[ProcessIdentity, ...]


class RpcError(Struct, frozen=True):
    """The error member of an answer."""

    code: int
    message: str
    data: dict[str, Any] = field(default_factory=dict)
    """hint, exit_code and kind; conflicts when ports have to be decided about. Free-form by JSON-RPC."""


PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
APPLICATION_ERROR = 1000
"""Plus the exit code: an error of ours."""
