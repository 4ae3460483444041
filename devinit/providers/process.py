"""Any command as a service."""

from __future__ import annotations

import json
from pathlib import Path

from devinit.errors import ServiceError
from devinit.model.probe import ExecProbe, HttpProbe, LogProbe, Probe, StayedUpProbe, TcpProbe
from devinit.model.process import ProcessSpec
from devinit.model.service import Endpoint, Service, StopPolicy
from devinit.providers.command import VENV_FOLDERS, arguments, command_spec
from devinit.providers.provider import Place, Say, reachable

NODE_RUNNERS = {"npm": "npm install", "pnpm": "pnpm install", "yarn": "yarn install", "bun": "bun install"}
INSTALLING = frozenset(("install", "i", "ci", "add", "clean-install", "dlx", "create", "init"))
ELSEWHERE = frozenset(("--prefix", "-C", "--dir", "--cwd"))
"""Options that make a package manager work in another folder."""
PYTHON_SETUPS = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "requirements.txt": "python -m venv .venv && .venv/bin/pip install -r requirements.txt",
    "pyproject.toml": "python -m venv .venv && .venv/bin/pip install -e .",
}
"""What a Python project declares its dependencies in → the command that installs them; the first wins."""


class ProcessProvider:
    """Runs the service's own command."""

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the browser's address: `localhost`, which Vite and Next accept without configuration."""
        if service.external_url is not None:
            return _external(service, service.external_url)
        if port is None:
            return Endpoint(service=service.name, host=reachable(service.host), port=None, url=None)
        origin = f"http://localhost:{port}"
        return _web_endpoint(service, reachable(service.host), port, origin)

    def prepare(self, service: Service, place: Place, say: Say) -> None:  # noqa: ARG002 - quick, nothing to say
        """Refuse, with the command that helps, a project whose dependencies are evidently not installed."""
        if service.external_url is None and not service.setup:
            _refuse_missing_packages(service, place)

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the command, with the project's own tools first in PATH."""
        del endpoint
        if service.external_url is not None:
            return None
        spec = command_spec(_command(service), service, place, environment)
        _refuse_missing_environment(service, place, spec)
        return spec

    def probe(self, service: Service, endpoint: Endpoint) -> Probe:
        """Return what `ready` asks for; a connection when it asks for nothing."""
        ready = service.ready
        if ready.exec is not None:
            return ExecProbe(ready.exec)
        if ready.log is not None:
            return LogProbe(ready.log)
        if endpoint.port is None:
            return StayedUpProbe(ready.after_seconds)
        if ready.http is not None:
            return HttpProbe(
                host=endpoint.host,
                port=endpoint.port,
                path=_path(ready.http),
                status=ready.status,
                body=ready.body,
            )
        return TcpProbe(endpoint.host, endpoint.port)

    def provision(self, service: Service, endpoint: Endpoint, place: Place, say: Say) -> None:
        """Do nothing: what a command needs is its own `before_start`."""

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM, five seconds, then KILL, unless the service says otherwise."""
        return service.stop or StopPolicy()


def _external(service: Service, url: str) -> Endpoint:
    from devinit.providers.external import address_of  # rare, and urllib.parse costs 3 ms

    address = address_of(url, service.name)
    origin = url[: -len(address.path)] if address.path and url.endswith(address.path) else url
    return _web_endpoint(service, address.host, address.port, origin.rstrip("/"))


def _web_endpoint(service: Service, host: str, port: int, origin: str) -> Endpoint:
    same = origin.replace("//localhost:", "//127.0.0.1:")
    health = service.ready.http
    return Endpoint(
        service=service.name,
        host=host,
        port=port,
        url=service.external_url or origin + _path(service.url_path),
        origins=(origin,) if same == origin else (origin, same),
        aliases=service.port_env,
        docs_url=None if service.docs_path is None else origin + _path(service.docs_path),
        health_url=None if health is None else origin + _path(health),
    )


def _path(path: str) -> str:
    return path if not path or path.startswith("/") else f"/{path}"


def _command(service: Service) -> str:
    if service.command is None:
        raise ServiceError(
            f"{service.name} has no command", hint=f"set services.{service.name}.command in devinit.toml"
        )
    return service.command


def _refuse_missing_packages(service: Service, place: Place) -> None:
    words = arguments(_command(service), key=f"services.{service.name}.command")
    install = NODE_RUNNERS.get(words[0])
    if install is None or ELSEWHERE.intersection(words) or INSTALLING.intersection(words[1:3]):
        return
    if not _declares_packages(service.directory):
        return
    # A workspace keeps its packages at the root; Yarn's Plug'n'Play has a file instead of the folder.
    for folder in (service.directory, *_up_to(service.directory, place.root)):
        if (folder / "node_modules").exists() or (folder / ".pnp.cjs").exists():
            return
    raise ServiceError(
        f"the packages of {service.name} are not installed: {service.directory} has no node_modules",
        hint=f'run `{install}` in {service.directory}, or let it run by itself: setup = ["{install}"]',
    )


def _declares_packages(folder: Path) -> bool:
    try:
        declared = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError):
        # Not ours to judge: the package manager says what is wrong with it.
        return False
    return isinstance(declared, dict) and any(declared.get(k) for k in ("dependencies", "devDependencies"))


def _up_to(folder: Path, root: Path) -> list[Path]:
    above = list(folder.parents)
    return above[: above.index(root) + 1] if root in above else []


def _refuse_missing_environment(service: Service, place: Place, spec: ProcessSpec) -> None:
    """Name what makes the virtual environment, when the program is missing because there is none."""
    program = spec.argv[0]
    if service.setup or "VIRTUAL_ENV" in spec.environment or "/" in program:
        return
    from shutil import which  # 1 ms, and asyncio's own import of it usually came first

    if which(program, path=spec.environment.get("PATH")) is not None:
        return
    for folder in (service.directory, place.root):
        for file, install in PYTHON_SETUPS.items():
            if (folder / file).exists() and not any((folder / name).exists() for name in VENV_FOLDERS):
                raise ServiceError(
                    f"{program} was not found, and {folder} has no virtual environment",
                    hint=f'run `{install}` in {folder}, or let it run by itself: setup = ["{install}"]',
                )
