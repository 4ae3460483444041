"""Detection of TLS by a greeting, for each port of a ready service that no probe has asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from devinit.model.probe import HttpProbe
from devinit.model.service import Scheme
from devinit.supervisor.readiness.probing import ask_once, speaks_tls
from devinit.supervisor.readiness.proving import other_scheme
from devinit.supervisor.readiness.scheme_hints import is_configured_for_tls, says_https
from devinit.supervisor.readiness.schemes import is_open, open_extra_ports, stated_of
from devinit.system.listeners import tcp_listeners

if TYPE_CHECKING:
    from devinit.model.service import Service
    from devinit.supervisor.project.project_state import ProjectState

LATER_SECONDS = (0.2, 1.0, 3.0)
"""Delays between looks at a newly ready service's output: some services print their URL only after they listen."""


class OpenPort(Struct, frozen=True, kw_only=True):
    """A port whose scheme is not configured, and that no probe asks by HTTP."""

    name: str
    probe: HttpProbe
    """The probe as it is now."""
    is_suspect: bool
    """Whether to greet the port before the service prints its URL."""


class SchemeProof:
    """Detects the schemes that one run of a service speaks."""

    def __init__(
        self,
        service: Service,
        stage: ProjectState,
        output: Callable[[], str],
        speaks: Callable[[str, Scheme], Awaitable[None]],
    ) -> None:
        """`output` returns the output of the run; `speaks` is called with a port's name and its scheme."""
        self._service, self._stage = service, stage
        self._output, self._speaks = output, speaks
        self._unproven: list[OpenPort] | None = None
        """None before the first look."""

    async def look(self) -> None:
        """Greet each port that is likely to speak TLS; report those that speak another scheme than expected."""
        if self._unproven is None:
            self._unproven = list(open_ports(self._service, self._stage))
        for port in list(self._unproven):
            probe = port.probe
            if (port.is_suspect or says_https(self._output(), probe.port)) and tcp_listeners(probe.port):
                self._unproven.remove(port)
                scheme = Scheme.HTTPS if await speaks_tls(probe) else Scheme.HTTP
                if scheme is not probe.scheme:
                    await self._speaks(port.name, scheme)

    async def look_later(self) -> None:
        """Look again for a while, because a service may listen, or print its URL, only later."""
        for seconds in LATER_SECONDS:
            if not self._unproven:
                return
            await asyncio.sleep(seconds)
            await self.look()


async def changed_scheme(probe: HttpProbe) -> Scheme | None:
    """Return the scheme of a ready server if it has changed; None if not.

    A failed greeting proves nothing about a server that may be starting again: it has to answer in the other
    scheme.
    """
    if await speaks_tls(probe) is (probe.scheme is Scheme.HTTPS):
        return None
    return await other_scheme(probe, await ask_once(probe))


def open_ports(service: Service, stage: ProjectState) -> Iterator[OpenPort]:
    """Yield the ports whose scheme has to be detected, without those that a probe asks by HTTP.

    A further port may belong to a debugger, which takes a greeting for its only client. So only ports that are
    known to serve pages are suspected.
    """
    if service.ready.http is None and is_open(service):
        probe = HttpProbe.of(stage.endpoint(service.name), "/")
        suspect = probe.scheme is Scheme.HTTPS or is_configured_for_tls(service)
        yield OpenPort(name=service.name, probe=probe, is_suspect=suspect)
    for name in open_extra_ports(service):
        stated, endpoint = stated_of(service, name), stage.endpoint(name)
        if stated.http is None and endpoint.port is not None:
            probe = HttpProbe.of(endpoint, "/")
            has_pages = bool(stated.url_path) and is_configured_for_tls(service)
            yield OpenPort(name=name, probe=probe, is_suspect=probe.scheme is Scheme.HTTPS or has_pages)
