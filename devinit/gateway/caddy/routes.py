"""The whole configuration of Caddy, derived anew from what the projects report. Pure.

Where a service is, Caddy reads from a file for each request, because a new configuration costs: Caddy closes
connections that it has accepted and not read from yet. The configuration follows from the names alone.

When the connection is refused, or the file says that the service is away, Caddy asks the gateway, with a request
that has no body. The gateway answers when the service is ready: with its address then, which may be another one.
So a request that comes during a restart waits, and reaches the new port.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct

from devinit.model.phases import DOWN

Json = dict[str, Any]
# Caddy's own format, which Caddy checks.

WITHDRAWN = "withdrawn"
"""In the place of a phase: the service is about to be stopped, to be started again."""
ASKED = DOWN | {WITHDRAWN}
"""Phases in which the port may be another program's: the gateway is asked before a service is dialled."""
AWAY = "unix//nowhere"
"""What the file of such a service says: nothing listens there."""
WELL_KNOWN = "/.well-known/devinit"
STREAMS_STAY = "24h"
"""How long WebSockets survive a change of the configuration; without it each change of any route closes them."""
RETRIED = "250ms"
"""How long a connection that is refused is tried again, before the gateway is asked."""
PASSED = "X-Devinit-Passed"
"""Which services a request has gone through: a dev server may forward to a name that leads back to itself."""
UPSTREAM = "X-Devinit-Upstream"
OWN_HOSTS = ("devinit.localhost", "localhost", "127.0.0.1", "::1", "[::1]")
_NEXT_PATHS = ["/_next/*", "/__nextjs*"]
_LOST = (
    "{http.error.message}.contains('refused') || {http.error.message}.contains('no such file') || "
    "({http.error.status_code} == 502 && "
    "({http.request.method} == 'GET' || {http.request.method} == 'HEAD'))"
)
"""Errors after which a request may be sent again: nothing has read it, or it changes nothing."""


class Target(Struct, frozen=True, kw_only=True):
    """A service behind names."""

    label: str
    """The project's label."""
    service: str
    hosts: tuple[str, ...]
    upstream: str
    """Where it is dialled: 127.0.0.1:8001."""
    phase: str
    tls: bool = False


class Places(Struct, frozen=True, kw_only=True):
    """Where Caddy and the gateway meet."""

    listens_on: tuple[str, ...]
    """The sockets that Caddy has inherited: fd/5."""
    admin: str
    """The socket on which Caddy is told its configuration."""
    web: str
    """The socket on which the gateway answers."""
    storage: str
    upstreams: str
    """The folder of the files that say where services are."""


def configuration(targets: Iterable[Target], places: Places) -> Json:
    """Return all that Caddy is to do."""
    every = sorted(targets, key=lambda each: each.hosts)
    return {
        "admin": {"listen": f"unix/{places.admin}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": places.storage},
        "logging": {"logs": {"default": {"level": "ERROR", "exclude": ["http.log.error"]}}},
        "apps": {
            "http": {
                # No `grace_period`: it would cut off requests at a change, also those that are held.
                "metrics": {"per_host": True},
                "servers": {
                    "plain": {
                        "listen": list(places.listens_on),
                        "automatic_https": {"disable": True},
                        "routes": [
                            *(_route(each, places) for each in every),
                            _of_own_hosts(places.web),
                            {"handle": [_gateway(places.web, "unknown")]},
                        ],
                        "errors": {"routes": [*(_after_an_error(each, places.web) for each in every)]},
                    }
                },
            }
        },
    }


def upstreams_of(targets: Iterable[Target]) -> dict[str, str]:
    """Return what each file says: where a service is, or that it is away."""
    return {_mark(each): AWAY if each.phase in ASKED else each.upstream for each in targets}


def _route(target: Target, places: Places) -> Json:
    web = places.web
    routes = [
        {
            "match": [{"path": [WELL_KNOWN, f"{WELL_KNOWN}/*"]}],
            "handle": [_gateway(web, "name", target)],
            "terminal": True,
        },
        {
            "match": [{"header": {PASSED: [_mark(target)]}}],
            "handle": [_gateway(web, "circle", target)],
            "terminal": True,
        },
        {
            # Next 16.2 refuses pages of names with two labels for these; elsewhere it compares Origin with Host.
            "match": [{"path": _NEXT_PATHS, "header": {"Origin": ["*"]}}],
            "handle": [{"handler": "headers", "request": {"set": {"Origin": ["http://localhost"]}}}],
        },
        {"handle": [_direct(target, places)]},
    ]
    handler = {"handler": "subroute", "routes": routes}
    return {"match": [{"host": list(target.hosts)}], "handle": [handler], "terminal": True}


def _of_own_hosts(web: str) -> Json:
    return {"match": [{"host": [*OWN_HOSTS]}], "handle": [_gateway(web, "own")], "terminal": True}


def _after_an_error(target: Target, web: str) -> Json:
    routes = [
        {"match": [{"expression": _LOST}], "handle": [_held(target, web, failed=True)], "terminal": True},
        # Without the body, which may have been read.
        {"handle": [{**_gateway(web, "failed", target), "rewrite": {"method": "GET", "uri": "/failed"}}]},
    ]
    handler = {"handler": "subroute", "routes": routes}
    return {"match": [{"host": list(target.hosts)}], "handle": [handler], "terminal": True}


def _direct(target: Target, places: Places) -> Json:
    return {
        **_proxy(target, f"{{file.{places.upstreams}/{_mark(target)}}}"),
        "load_balancing": {"try_duration": RETRIED, "try_interval": "25ms"},
    }


def _held(target: Target, web: str, *, failed: bool = False) -> Json:
    """Ask the gateway where the service is; what it answers otherwise is the answer to the request."""
    goes_on = [
        {"handle": [{"handler": "vars", "upstream": f"{{http.reverse_proxy.header.{UPSTREAM}}}"}]},
        {"handle": [_proxy(target, "{http.vars.upstream}")]},
    ]
    return {
        **_gateway(web, "after an error" if failed else "hold", target),
        "rewrite": {"method": "GET", "uri": "/hold"},
        "handle_response": [{"match": {"headers": {UPSTREAM: ["*"]}}, "routes": goes_on}],
    }


def _proxy(target: Target, dialled: str) -> Json:
    proxy: Json = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": dialled}],
        "flush_interval": -1,
        "stream_close_delay": STREAMS_STAY,
        "headers": {"request": {"add": {PASSED: [_mark(target)]}}},
    }
    if target.tls:
        # A dev server on this machine has a certificate of its own making.
        proxy["transport"] = {"protocol": "http", "tls": {"insecure_skip_verify": True}}
    return proxy


def _gateway(web: str, kind: str, target: Target | None = None) -> Json:
    """Let the gateway answer. Every header that it believes is set here, so that none can be forged."""
    said = {
        "X-Devinit-Kind": [kind],
        "X-Devinit-Project": [target.label if target else ""],
        "X-Devinit-Service": [target.service if target else ""],
        "X-Devinit-Peer": ["{http.request.remote}"],
    }
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"unix/{web}"}],
        "flush_interval": -1,
        # A gateway that was killed is back in a moment.
        "load_balancing": {"try_duration": "3s", "try_interval": "50ms"},
        "headers": {"request": {"set": said}},
    }


def _mark(target: Target) -> str:
    return f"{target.service}.{target.label}"


def hosts_of(targets: Collection[Target]) -> list[str]:
    """Return every name that is served."""
    return sorted(host for target in targets for host in target.hosts)
