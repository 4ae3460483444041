"""The pages that are shown instead of a service that is stopped, does not come up, or does not exist. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from devinit.gateway.web.http import Request, Response

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:10vh auto;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em;border-radius:.2em}:root{color-scheme:light dark}"
)


def stopped(request: Request, service: str, phase: str, reason: str | None) -> Response:
    """Return the notice that a service does not run."""
    said = f": {reason}" if reason else ""
    more = [f"`devinit start {service}` starts it", f"`devinit why {service}` explains it"]
    return _notice(request, 503, f"{service} {_state(phase)}{said}", more)


def not_up(request: Request, service: str, phase: str, reason: str | None) -> Response:
    """Return the notice that a service does not answer, although it should."""
    said = f": {reason}" if reason else ""
    is_up = phase in ("ready", "unhealthy")
    text = (
        f"{service} does not answer" if is_up else f"{service} {_state(phase)}{said}, and does not answer yet"
    )
    return _notice(request, 502, text, [f"`devinit why {service}` explains it", f"`devinit logs {service}`"])


def circle(request: Request, service: str) -> Response:
    """Return the notice that a request has been forwarded in a loop."""
    text = (
        f"this request has been at {service} before: a server there forwards to a name that leads back to it"
    )
    more = ["its proxy needs the port's address as its target, or `changeOrigin: true` for a name"]
    return _notice(request, 508, text, more)


def unknown(request: Request, hosts: Iterable[str], port: int) -> Response:
    """Return the notice that a name is unknown, with the names that are served."""
    suffix = "" if port == 80 else f":{port}"  # noqa: PLR2004  HTTP's
    served = [f"http://{host}{suffix}" for host in hosts]
    host = request.header("x-forwarded-host") or request.header("host")
    if not served:
        return _notice(
            request, 404, f"{host} is not served", ["no project with names runs: `devinit start --names`"]
        )
    return _notice(request, 404, f"{host} is not served; these are:", served)


def refused(status: int, text: str) -> Response:
    """Return the notice that a request is refused."""
    return Response(status=status, body=f"{text}\n".encode())


def _state(phase: str) -> str:
    return f"has {phase}" if phase in ("failed", "exited") else f"is {phase}"


def _notice(request: Request, status: int, text: str, more: Iterable[str]) -> Response:
    headers = {"Retry-After": "1"} if status in (502, 503) else {}
    lines = list(more)
    if "text/html" not in request.header("accept"):
        body = "\n".join((text, *(f"  {line}" for line in lines))) + "\n"
        return Response(status=status, body=body.encode(), headers=headers)
    items = "".join(f"<li>{_marked(line)}</li>" for line in lines)
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(text)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(text)}</h1><ul>{items}</ul></html>"
    )
    return Response(status=status, kind="text/html; charset=utf-8", body=html.encode(), headers=headers)


def _marked(line: str) -> str:
    """Convert a line to HTML: text between backticks becomes code, an address becomes a link."""
    if line.startswith("http://"):
        return f'<a href="{escape(line)}">{escape(line)}</a>'
    parts = escape(line).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
