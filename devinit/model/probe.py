"""Probes of a service's readiness, as values that the supervisor carries out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Self, TypeAlias

from msgspec import Struct

from devinit.model.service import Endpoint, Scheme

USER_AGENT = "devinit-probe"
"""The user agent of HTTP probes."""


class ProbeVerdict(StrEnum):
    """The result of one attempt of a probe."""

    READY = "ready"
    NOT_YET = "not yet"
    """There is no answer, or the server answers that it is still starting."""
    REFUSED = "refused"
    """The answer is wrong: waiting longer does not help by itself."""
    REDIRECTED = "redirected"
    """A program answers, but not the server that listens there: the kernel sends connections elsewhere."""


class ProbeResult(Struct, frozen=True):
    """One attempt: the verdict and the observation."""

    verdict: ProbeVerdict
    detail: str = ""
    status: int | None = None
    """The status of an HTTP answer that was refused."""
    timed_out: bool = False
    """Whether the attempt was cut off before an answer arrived."""


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
    """Host and port as in the displayed URL: `localhost:8001`. Empty means those of the connection."""

    @classmethod
    def of(
        cls, endpoint: Endpoint, path: str, *, status: tuple[int, ...] = (), body: str | None = None
    ) -> Self:
        """Return a probe that sends the same request to a service as a client with its URL."""
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
        """Host and port in the notation of clients."""
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
    """Ready when the process has stayed up for some seconds; without a port there is no better evidence."""

    seconds: float
    settles: bool = False
    """Whether it also has to become idle: no time is stated, and a program that loads its code may still fail."""


class EndProbe(Struct, frozen=True):
    """Never ready: the service is a job, and done when its process has ended with code 0."""


class ExchangeProbe(Struct, frozen=True, kw_only=True):
    """Ready by the server's own protocol: send bytes, and let the provider judge the first answer."""

    host: str
    port: int
    request: bytes
    judge: Callable[[bytes], ProbeResult]
    farewell: bytes = b""
    """Sent before closing, so that the server logs no broken connection."""
    is_starting: Callable[[], bool] = lambda: False
    """Whether the server reports elsewhere that it is still starting; a check that costs next to nothing."""


class LookProbe(Struct, frozen=True):
    """Ready by a check of the provider's own, such as a query to a container engine; blocking."""

    look: Callable[[], ProbeResult]


Probe: TypeAlias = (
    TcpProbe | HttpProbe | ExecProbe | LogProbe | StayedUpProbe | EndProbe | ExchangeProbe | LookProbe
)
