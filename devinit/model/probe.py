"""How a service is proven ready: each probe is a value that the supervisor carries out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Self, TypeAlias

from msgspec import Struct

from devinit.model.service import Endpoint, Scheme

USER_AGENT = "devinit-probe"
"""What an HTTP probe calls itself."""


class ProbeVerdict(StrEnum):
    """What one attempt of a probe says."""

    READY = "ready"
    NOT_YET = "not yet"
    """Nothing answers, or it answers that it is still starting."""
    REFUSED = "refused"
    """It answers, and what it says is wrong: waiting longer does not help by itself."""
    REDIRECTED = "redirected"
    """A program answers, but not the server that listens there: the kernel sends connections elsewhere."""


class ProbeResult(Struct, frozen=True):
    """One attempt: the verdict and what was seen."""

    verdict: ProbeVerdict
    detail: str = ""
    status: int | None = None
    """The status of an HTTP answer that was refused."""
    timed_out: bool = False
    """Whether the attempt was cut off before there was an answer."""


class TcpProbe(Struct, frozen=True):
    """Ready when a connection is accepted."""

    host: str
    port: int


class HttpProbe(Struct, frozen=True, kw_only=True):
    """Ready when GET answers with an accepted status, and with a body that matches."""

    host: str
    port: int
    path: str
    status: tuple[int, ...] = ()
    """Accepted status codes; empty means 200-399."""
    body: str | None = None
    """A regular expression that the body must contain."""
    scheme: Scheme = Scheme.HTTP
    authority: str = ""
    """Host and port as the shown URL has them: `localhost:8001`. Empty means those that are connected to."""

    @classmethod
    def of(
        cls, endpoint: Endpoint, path: str, *, status: tuple[int, ...] = (), body: str | None = None
    ) -> Self:
        """Return a probe that asks a service on a port as a client does that was given its URL."""
        assert endpoint.port is not None  # noqa: S101 - without a port there is nothing to ask
        scheme, _, rest = (endpoint.url or "").partition("://")
        return cls(
            host=endpoint.host,
            port=endpoint.port,
            path=path,
            status=status,
            body=body,
            scheme=Scheme.HTTPS if scheme == Scheme.HTTPS else Scheme.HTTP,
            authority=rest.partition("/")[0],
        )

    @property
    def named(self) -> str:
        """Return host and port as a client names them."""
        if self.authority:
            return self.authority
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ExecProbe(Struct, frozen=True):
    """Ready when a command exits with 0."""

    command: str


class LogProbe(Struct, frozen=True):
    """Ready when the service's output contains a line that matches a regular expression."""

    pattern: str


class StayedUpProbe(Struct, frozen=True):
    """Ready when the process has stayed up for some seconds: all that can be said without a port."""

    seconds: float
    settles: bool = False
    """Whether it also has to come to rest: no time is stated, and a program that loads its code may still fail."""


class EndProbe(Struct, frozen=True):
    """Never ready: it is a job, and done when its process has ended with code 0."""


class ExchangeProbe(Struct, frozen=True, kw_only=True):
    """Ready by the server's own protocol: send bytes, let the provider judge the first answer."""

    host: str
    port: int
    request: bytes
    judge: Callable[[bytes], ProbeResult]
    farewell: bytes = b""
    """Sent before closing, so that the server logs no broken connection."""
    is_starting: Callable[[], bool] = lambda: False
    """Whether the server says elsewhere that it is not worth asking yet; a look that costs next to nothing."""


class LookProbe(Struct, frozen=True):
    """Ready by what the provider finds out in its own way, as by asking the engine of a container; blocking."""

    look: Callable[[], ProbeResult]


Probe: TypeAlias = (
    TcpProbe | HttpProbe | ExecProbe | LogProbe | StayedUpProbe | EndProbe | ExchangeProbe | LookProbe
)
