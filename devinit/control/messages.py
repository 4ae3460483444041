"""The parameters of the supervisor's methods, validated when they arrive."""

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
    """Parameters with names of services; an empty list means all."""

    services: tuple[str, ...] = ()


class StopParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters to stop services; an empty list means all."""

    services: tuple[str, ...] = ()
    force: bool = False
    """Do not wait for a graceful end; services that are already stopping are killed at once, too."""


class StartParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters to start services, with all their dependencies."""

    services: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    """The caller's environment: the services inherit it, and it may contain <SERVICE>_PORT."""
    on_conflict: ConflictPolicy = ConflictPolicy.MOVE
    can_answer: bool = False
    """Whether the caller can ask a user: conflicts of services with the policy ASK are
    then returned as questions."""
    resolutions: tuple[Resolution, ...] = ()
    profile: str | None = None
    timeout_seconds: float | None = None
    """The time limit of the whole start; None leaves it to each service's own timeout."""
    only_changed: bool = False
    """For a restart: skip services that still run as configured."""
    sets_up: bool = False
    """Run the `setup` of started services even if none of its inputs has changed."""
    in_terminals: tuple[str, ...] = ()
    """For a restart: services that get a terminal until another order starts them."""
    names: bool = False
    """For a start: serve pages by name until all services are stopped."""


class EnvironmentParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters for the runtime environment: the current one, or that of a start."""

    environ: dict[str, str] = field(default_factory=dict)
    profile: str | None = None


class CommandParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters for the environment of a command that runs next to the services."""

    environ: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    test: bool = False
    """Provide the test databases under the names of the others."""
    service: str | None = None
    """The command runs as this service does: in its folder, with its environment and its tools."""
    directory: str | None = None
    """Alternatively, the absolute path of the command's working directory, whose tools it finds."""


class StatusParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters for the state of every service."""

    measure: bool = True
    """Also include the usage, which requires a scan of all processes."""


class ServiceParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters with one service."""

    service: str


class InputParams(Struct, frozen=True, forbid_unknown_fields=True):
    """A text to write to the standard input of a service; an empty one only queries what is unread."""

    service: str
    text: str = ""
    """At most 4096 bytes as UTF-8; a line ends with a line feed."""


class WaitParams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters to wait until services are live; an empty list means all that are not stopped."""

    services: tuple[str, ...] = ()
    after: float | None = None
    """Unix time: earlier states of a service do not count."""
    timeout_seconds: float = 60.0


class EventsParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters for past and future events."""

    after: float = 0.0
    """Unix time: leave out earlier events."""
    follow: bool = False
    """Send no answer, but every event until the client disconnects."""


class PortParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters with one port."""

    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)]


class ChooseParams(Struct, frozen=True, forbid_unknown_fields=True):
    """A port for the next start of a service; None: the next free one in its range."""

    service: str
    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)] | None = None


class FreeParams(Struct, frozen=True, forbid_unknown_fields=True):
    """A port, and exactly the holders that the user saw."""

    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)]
    holders: tuple[ProcessIdentity, ...]


class RpcError(Struct, frozen=True):
    """The error member of an answer."""

    code: int
    message: str
    data: dict[str, Any] = field(default_factory=dict)
    """hint, exit_code and kind; conflicts if the user has to decide about ports. Free-form by JSON-RPC."""


PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
APPLICATION_ERROR = 1000
"""The base of devinit's own errors; the exit code is added."""
