"""The complete configuration of Caddy, derived from the reports of the projects. Pure.

For each request, Caddy reads the address of the service from a file. A new configuration for each address would
do harm: Caddy then closes connections that it has accepted but not read from yet. So the configuration depends
only on the names.

When a connection is refused, or the file says that the service is away, Caddy asks the gateway, in a request
without a body. The gateway answers with the address of the service, perhaps a new one, once that is ready. So a
request during a restart waits, and reaches the new port.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct

from devinit.model.phases import DOWN

Json = dict[str, Any]
# Caddy's own format, which Caddy checks.

WITHDRAWN = "withdrawn"
"""Used as a phase: a restart is about to stop the service."""
ASKED = DOWN | {WITHDRAWN}
"""Phases in which the port may belong to another program: Caddy asks the gateway before it connects."""
AWAY = "unix//nowhere"
"""The address in the file of such a service, at which nothing listens."""
WELL_KNOWN = "/.well-known/devinit"
STREAMS_STAY = "24h"
"""How long WebSockets survive a new configuration; without it, a change of any route closes all of them."""
RETRIED = "250ms"
"""How long Caddy retries a refused connection before it asks the gateway."""
PASSED = "X-Devinit-Passed"
"""Header with the services that a request has passed: a dev server may forward to a name that leads back to it."""
UPSTREAM = "X-Devinit-Upstream"
OWN_HOSTS = ("devinit.localhost", "localhost", "127.0.0.1", "::1", "[::1]")
_NEXT_PATHS = ["/_next/*", "/__nextjs*"]
_LOST = (
    "{http.error.message}.contains('refused') || {http.error.message}.contains('no such file') || "
    "({http.error.status_code} == 502 && "
    "({http.request.method} == 'GET' || {http.request.method} == 'HEAD'))"
)
"""Errors after which a request may be repeated: no server has read it, or it changes nothing."""


class Target(Struct, frozen=True, kw_only=True):
    """A service, or an extra port, that is served by name."""

    label: str
    """The project's label."""
    service: str
    hosts: tuple[str, ...]
    upstream: str
    """Address to connect to: 127.0.0.1:8001."""
    phase: str
    tls: bool = False


class Places(Struct, frozen=True, kw_only=True):
    """Sockets and folders that Caddy and the gateway share."""

    listens_on: tuple[str, ...]
    """The sockets that Caddy inherits: fd/5."""
    admin: str
    """The socket on which Caddy receives its configuration."""
    web: str
    """The socket on which the gateway answers."""
    storage: str
    upstreams: str
    """The folder with the address files of services."""


def configuration(targets: Iterable[Target], places: Places) -> Json:
    """Return the configuration of Caddy."""
    every = sorted(targets, key=lambda each: each.hosts)
    return {
        "admin": {"listen": f"unix/{places.admin}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": places.storage},
        "logging": {"logs": {"default": {"level": "ERROR", "exclude": ["http.log.error"]}}},
        "apps": {
            "http": {
                # No `grace_period`: at a new configuration, it would cut off requests, even held ones.
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
    """Return the content of each address file: the address of a service, or that it is away."""
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
            # Here Next 16.2 refuses pages of names with two labels; elsewhere it compares Origin with Host.
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
        # Without the body, which may have been read already.
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
    """Ask the gateway for the address of the service; an answer without one is passed on to the client."""
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
        # A dev server on this machine has a self-signed certificate.
        proxy["transport"] = {"protocol": "http", "tls": {"insecure_skip_verify": True}}
    return proxy


def _gateway(web: str, kind: str, target: Target | None = None) -> Json:
    """Let the gateway answer. Every header that it trusts is set here, so that clients cannot forge them."""
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
        # A killed gateway is replaced within a moment.
        "load_balancing": {"try_duration": "3s", "try_interval": "50ms"},
        "headers": {"request": {"set": said}},
    }


def _mark(target: Target) -> str:
    return f"{target.service}.{target.label}"


def hosts_of(targets: Collection[Target]) -> list[str]:
    """Return all names that are served, sorted."""
    return sorted(host for target in targets for host in target.hosts)
