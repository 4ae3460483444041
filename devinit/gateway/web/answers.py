"""Answer the requests that Caddy passes on; it states the kind of each in headers that no client can set."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

from devinit.gateway.caddy.admin import metrics
from devinit.gateway.caddy.routes import UPSTREAM, WELL_KNOWN, hosts_of
from devinit.gateway.holding import hold
from devinit.gateway.projects import Joined, Projects
from devinit.gateway.web import door, notices, overview
from devinit.gateway.web.events import KIND, snapshot_of, stream
from devinit.gateway.web.http import Request, Response, as_json
from devinit.gateway.web.reports import Reports, as_metrics
from devinit.model.phases import DOWN
from devinit.system.files import read_bytes
from devinit.system.sockets import find

POLICY = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
PATHS = (f"{WELL_KNOWN}/", f"{WELL_KNOWN}/events")


class Answers:
    """Answers requests about the projects that have joined."""

    def __init__(self, projects: Projects, generation: str, admin: str) -> None:
        self._projects, self._reports, self._admin = projects, Reports(projects), admin
        self._generation = generation
        self.held = 0
        """Number of requests that have waited for a service."""
        self.streams = 0
        """Number of readers that follow a project at present."""

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        service = request.header("x-devinit-service")
        joined = await self._projects.awaited(request.header("x-devinit-project"))
        match request.header("x-devinit-kind"):
            case "hold" | "after an error" if joined is not None:
                after_an_error = request.header("x-devinit-kind") == "after an error"
                return await self._held(request, joined, service, after_an_error=after_an_error)
            case "failed" if joined is not None:
                return self._failed(request, joined, service)
            case "circle":
                return notices.circle(request, service)
            case "name" if joined is not None:
                return self._told(request, joined)
            case "own":
                return await self._own(request)
        uid = uid_of(request.header("x-devinit-peer"), self._projects.port)
        # Hide the list of names from other users, and from pages whose foreign name leads to this machine.
        may_know = uid in (os.geteuid(), 0) and door.is_of_this_machine(request.header("host"))
        hosts = hosts_of(self._projects.targets()) if may_know else []
        return notices.unknown(request, hosts, self._projects.port)

    async def _held(
        self, request: Request, joined: Joined, service: str, *, after_an_error: bool
    ) -> Response:
        self.held += 1
        held = await hold(joined, service, after_an_error=after_an_error)
        if held.upstream is not None:
            return Response(headers={UPSTREAM: held.upstream})
        return self._failed(request, joined, service)

    def _failed(self, request: Request, joined: Joined, service: str) -> Response:
        phase = joined.phase(service)
        # An extra port has the reason of its service.
        reason = joined.reason(service.partition(".")[0])
        if phase in DOWN:
            return notices.stopped(request, service, phase, reason)
        return notices.not_up(request, service, phase, reason)

    async def _own(self, request: Request) -> Response:
        """Answer a request to one of the gateway's own names."""
        if request.path.rstrip("/") == WELL_KNOWN or request.path.startswith(f"{WELL_KNOWN}/"):
            label = request.query.get("project", "")
            every = self._projects.all()
            chosen = [each for each in every if label in ("", each.joining.label, each.joining.project)]
            if len(chosen) == 1:
                return self._told(request, chosen[0])
            if (refusal := self._refusal(request, None)) is not None:
                return refusal
            labels = [each.joining.label for each in every]
            said = {"error": "say which project with ?project=", "projects": labels}
            return as_json(said, status=404 if label or not every else 400)
        if (refusal := self._refusal(request, None)) is not None:
            return refusal
        headers = door.cors(request, ())
        match request.path:
            case "/":
                return await self._page(request)
            case "/api/projects":
                return as_json({"projects": await self._reports.all_projects()}, headers=headers)
            case "/api/services":
                return as_json({"services": await self._reports.services()}, headers=headers)
            case "/api/ports":
                return as_json({"ports": await self._reports.ports()}, headers=headers)
            case "/metrics":
                return await self._metrics()
            case overview.SCRIPT:
                return Response(kind="text/javascript; charset=utf-8", body=_asset("overview.js"))
            case overview.STYLE:
                return Response(kind="text/css; charset=utf-8", body=_asset("overview.css"))
        paths = ["/", "/api/projects", "/api/services", "/api/ports", "/metrics", *PATHS]
        return as_json({"error": f"there is nothing at {request.path}", "paths": paths}, status=404)

    async def _page(self, request: Request) -> Response:
        projects, used = await self._reports.all_projects(), await self._reports.services()
        is_part = request.query.get("part") == "projects"
        html = overview.body(projects, used) if is_part else overview.page(projects, used)
        return Response(kind="text/html; charset=utf-8", body=html.encode(), headers=POLICY)

    async def _metrics(self) -> Response:
        own = {
            "devinit_gateway_projects": len(self._projects.all()),
            "devinit_gateway_streams": self.streams,
            "devinit_gateway_held_requests_total": self.held,
        }
        text = as_metrics(await self._reports.services(), own)
        body = text.encode() + await metrics(self._admin)
        return Response(kind="text/plain; version=0.0.4; charset=utf-8", body=body)

    def _told(self, request: Request, joined: Joined) -> Response:
        """Answer a request about one project."""
        if (refusal := self._refusal(request, joined)) is not None:
            return refusal
        headers = door.cors(request, joined.origins(self._projects.port))
        if request.method == "OPTIONS":
            return Response(status=204, headers=headers)
        match request.path.removeprefix(WELL_KNOWN).strip("/"):
            case "":
                return as_json(snapshot_of(joined), headers=headers)
            case "events":
                headers["X-Accel-Buffering"] = "no"
                return Response(kind=KIND, headers=headers, stream=partial(self._stream, joined))
        said = {"error": f"there is nothing at {request.path}", "paths": PATHS}
        return as_json(said, status=404, headers=headers)

    async def _stream(self, joined: Joined, writer: asyncio.StreamWriter) -> None:
        self.streams += 1
        try:
            await stream(joined, self._generation, writer)
        finally:
            self.streams -= 1

    def _refusal(self, request: Request, joined: Joined | None) -> Response | None:
        uid = uid_of(request.header("x-devinit-peer"), self._projects.port)
        own = {f"http://{host}" for host in self._own_hosts()}
        origins = own | (joined.origins(self._projects.port) if joined is not None else frozenset())
        refusal = door.refusal_of(request, uid, os.geteuid(), origins)
        return None if refusal is None else notices.refused(refusal.status, refusal.text)

    def _own_hosts(self) -> list[str]:
        port = self._projects.port
        suffix = "" if port == 80 else f":{port}"  # noqa: PLR2004  HTTP's
        return [f"{host}{suffix}" for host in ("devinit.localhost", "localhost", "127.0.0.1", "[::1]")]


def _asset(name: str) -> bytes:
    return read_bytes(Path(__file__).with_name(name)) or b""


def uid_of(peer: str, port: int) -> int | None:
    """Return the uid of the client of a connection to the gateway's port, by its address; None if unknown."""
    client = door.address_of(peer)
    if client is None:
        return None
    server = "::1" if ":" in client[0] else "127.0.0.1"
    try:
        found = find(client[0], client[1], server, port)
    except (OSError, AttributeError):  # this system does not support the query
        return None
    return found.uid if found is not None else None
