"""Dockerfiles for programs that have none, and health checks that can run in images. Pure."""

from __future__ import annotations

import json

from devinit.model.resolved import ResolvedService

PYTHON, NODE = "python:3.12-slim", "node:22-slim"
DOCKERIGNORE = """\
.git
.env
.env.*
.venv
venv
node_modules
__pycache__
dist
build
"""
_PYTHON = (
    ("uv.lock", "pip install --no-cache-dir uv && uv sync --frozen"),
    ("poetry.lock", "pip install --no-cache-dir poetry && poetry install --no-interaction"),
    ("requirements.txt", "pip install --no-cache-dir -r requirements.txt"),
    ("pyproject.toml", "pip install --no-cache-dir ."),
)
_NODE = (
    ("pnpm-lock.yaml", "corepack enable && pnpm install --frozen-lockfile"),
    ("yarn.lock", "corepack enable && yarn install --frozen-lockfile"),
    ("package-lock.json", "npm ci"),
    ("package.json", "npm install"),
)


def dockerfile_of(service: ResolvedService) -> str | None:
    """Return a Dockerfile for development; None if the language or its packages are unknown."""
    image, installs, path = {
        "python": (PYTHON, _PYTHON, "/app/.venv/bin"),
        "node": (NODE, _NODE, "/app/node_modules/.bin"),
    }.get(service.language, ("", (), ""))
    if not image or service.command is None:
        return None
    install = next((line for name, line in installs if name in service.manifests), None)
    words = [each.written(lambda name: f"${{{name}}}") for each in service.command.words]
    return "".join(
        f"{line}\n"
        for line in (
            f"FROM {image}",
            "WORKDIR /app",
            "COPY . .",
            *((f"RUN {install}",) if install is not None else ()),
            f"ENV PATH={path}:$PATH PYTHONUNBUFFERED=1",
            f"CMD {json.dumps(words)}",
        )
    )


def health_of(service: ResolvedService) -> str:
    """Return a shell command that succeeds in the container once the service is ready; "" if none is known.

    It uses the language of the program. The project's own image may lack that, so wget and curl are tried next.
    """
    ready, port = service.ready, service.port
    if ready.exec is not None:
        return ready.exec
    if port is None or ready.log is not None:
        return ""
    if ready.http is None:
        return _connecting(service.language, port.number)
    path = ready.http if ready.http.startswith("/") else f"/{ready.http}"
    scheme = "https" if (port.url or "").startswith("https:") else "http"
    url = f"{scheme}://127.0.0.1:{port.number}{path}"
    ways = [
        *_asking(service.language, url),
        *((f"wget -q -O /dev/null '{url}'", f"curl -fsS -o /dev/null '{url}'") if service.dockerfile else ()),
    ]
    return " || ".join(ways)


def _asking(language: str, url: str) -> list[str]:
    quoted = json.dumps(url)
    if "'" in url:
        return []
    if language == "python":
        return [f"python -c 'import urllib.request as r; r.urlopen({quoted}, timeout=4)'"]
    if language == "node":
        return [f"node -e 'fetch({quoted}).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'"]
    return []


def _connecting(language: str, port: int) -> str:
    if language == "python":
        return f"python -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 4)'"
    if language == "node":
        return (
            f'node -e \'require("net").connect({port}, "127.0.0.1").on("connect", () => process.exit(0))'
            '.on("error", () => process.exit(1))\''
        )
    return ""
