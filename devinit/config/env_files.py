"""Which `.env` files a service is given without naming them: those in its repository.

A cloned repository may hold `.env -> ../../other-project/.env`. A file that the user names in devinit.toml
(`env_file`) is used wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from devinit.model.service import Service
from devinit.system.bounds import ENV_FILE, Bounds, bounds_of, not_read

LOADED = (".env.development", ".env.local", ".env.development.local")
EXAMPLES = (
    ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.local.example", ".env.development.example",
    "env.example", "example.env",
)  # fmt: skip
"""The name that counts most first."""


def usual_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the `.env` files that a service is given without naming them, as far as they are in bounds."""
    for path in candidates(root, service):
        if not (path.is_file() or path.is_fifo()):
            continue
        # A folder was detected in bounds, or named by the user: only the file itself may lead elsewhere.
        if not path.is_symlink() or bounds_for(root, service).holds(path):
            yield path


def given_env_files(root: Path, service: Service) -> tuple[Path, ...]:
    """Return the `.env` files that a service is given, named or not, those that count more later."""
    return (*usual_env_files(root, service), *service.env_file)


def loaded_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the files that a program of Node's loads by itself, the one that counts least first.

    Vite, Next, Nuxt and Create React App do so in development; what the environment has counts more.
    """
    if (service.directory / "package.json").is_file():
        yield from in_bounds(root, service, (service.directory / name for name in LOADED))


def example_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the files that show which variables there are, those of the service first."""
    folders = dict.fromkeys((service.directory, root))
    yield from in_bounds(root, service, (folder / name for folder in folders for name in EXAMPLES))


def in_bounds(root: Path, service: Service, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield those of these files that there are, and that lie in the repository of a project or of its service."""
    for path in paths:
        if path.is_file() and bounds_for(root, service).holds(path):
            yield path


def linked_env_files(root: Path, services: Iterable[Service]) -> Iterator[str]:
    """Yield a line for each `.env` that no service gets because it is a link out of the project."""
    found = {
        path: target
        for service in services
        for path in candidates(root, service)
        if path.is_symlink()
        and path not in service.env_file
        and (target := bounds_for(root, service).target_beyond(path))
    }
    for path, target in found.items():
        yield not_read(path, root, target)


def candidates(root: Path, service: Service) -> Iterable[Path]:
    """Return where the `.env` files of a service are looked for; the later one counts more."""
    return dict.fromkeys((root / ENV_FILE, service.directory / ENV_FILE))


def bounds_for(root: Path, service: Service) -> Bounds:
    """Return the bounds of a project with the folder of one of its services, which may lie elsewhere."""
    bounds = bounds_of(root)
    return Bounds(root, (*bounds.tops, *bounds_of(service.directory).tops))
