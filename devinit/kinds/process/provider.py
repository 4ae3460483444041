"""Any command as a service."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import ServiceError, StateFileError
from devinit.kinds.command import command_spec, first_words
from devinit.kinds.provider import Notes, Place, Say, WebProvider
from devinit.model.launcher import is_job_worker
from devinit.model.process import ProcessSpec
from devinit.model.service import Endpoint, Service, StopPolicy, StopTarget
from devinit.system.files import BYTE_ORDER_MARK, read_bytes

JOB_SECONDS = 30.0
"""How long a worker may take to finish the job that it is at, unless the service says otherwise."""
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


class _Package(Struct, frozen=True, rename="camel"):
    """What of a package.json matters here."""

    dependencies: dict[str, str] = msgspec.field(default_factory=dict)
    dev_dependencies: dict[str, str] = msgspec.field(default_factory=dict)


class ProcessProvider(WebProvider):
    """Runs the service's own command."""

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Refuse, with the command that helps, a project whose packages are evidently not installed."""
        del say
        if service.external_url is None and not service.setup:
            _refuse_missing_packages(service, place)
        return ()

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

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM, five seconds, then KILL, unless the service says otherwise.

        A worker of Celery or RQ that is asked alone finishes the job that it is at.
        """
        if not is_job_worker(service.command or ""):
            return service.stop or StopPolicy()
        stated = service.stop or StopPolicy(grace_seconds=JOB_SECONDS)
        return stated if stated.to is not None else msgspec.structs.replace(stated, to=StopTarget.MAIN)


def _command(service: Service) -> str:
    if service.command is None:
        raise ServiceError(
            f"{service.name} has no command", hint=f"set services.{service.name}.command in devinit.toml"
        )
    return service.command


def _refuse_missing_packages(service: Service, place: Place) -> None:
    words = first_words(_command(service))
    install = NODE_RUNNERS.get(words[0]) if words else None
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
        content = (read_bytes(folder / "package.json") or b"").removeprefix(BYTE_ORDER_MARK)
        declared = msgspec.json.decode(content, type=_Package)
    except (StateFileError, msgspec.DecodeError, RecursionError):
        # Not ours to judge: the package manager says what is wrong with it.
        return False
    return bool(declared.dependencies or declared.dev_dependencies)


def _up_to(folder: Path, root: Path) -> list[Path]:
    above = list(folder.parents)
    return above[: above.index(root) + 1] if root in above else []


def _refuse_missing_environment(service: Service, place: Place, spec: ProcessSpec) -> None:
    """Name what makes the virtual environment, when a program is missing because there is none."""
    program = spec.argv[0]
    if "/" in program or service.setup or "VIRTUAL_ENV" in spec.environment:
        return
    import shutil  # 2 ms that the supervisor's start does not pay

    if shutil.which(program, path=spec.environment.get("PATH")) is not None:
        return
    for folder in (service.directory, place.root):
        for file, install in PYTHON_SETUPS.items():
            if (folder / file).exists():
                raise ServiceError(
                    f"{program} was not found, and {folder} has no virtual environment",
                    hint=f'run `{install}` in {folder}, or let it run by itself: setup = ["{install}"]',
                )
