"""The `.env` files that a service gets by default: those in its repository.

A cloned repository may contain `.env -> ../../other-project/.env`. A file that devinit.toml names (`env_file`) is
used wherever it lies.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from devinit.model.service import Service
from devinit.system.bounds import ENV_FILE, Bounds, bounds_of, not_read

LOADED = (".env.development", ".env.local", ".env.development.local")
EXAMPLES = (
    ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.local.example", ".env.development.example",
    "env.example", "example.env",
)  # fmt: skip
"""In order of precedence, the strongest first."""
_FOR_DEVELOPMENT = (".env.development", ".env.dev")
"""Files that programs of other languages than Node's load by their own code: they show what it reads."""


def usual_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the `.env` files that a service gets by default, as far as they are in bounds."""
    # As text: this runs several times in each step of each service, and usually there are no such files.
    for path in map(Path, filter(_may_be_read, _candidates(root, service))):
        # A folder was detected within bounds, or named by the user, so only the file itself may lead elsewhere.
        if not path.is_symlink() or bounds_for(root, service).holds(path):
            yield path


def given_env_files(root: Path, service: Service) -> tuple[Path, ...]:
    """Return the `.env` files that a service gets, by default or by name; later ones take precedence."""
    return (*usual_env_files(root, service), *service.env_file)


def loaded_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the files that a Node program loads itself, in order of increasing precedence.

    Vite, Next, Nuxt and Create React App do so in development; the environment takes precedence over these files.
    """
    if (service.directory / "package.json").is_file():
        yield from in_bounds(root, service, (service.directory / name for name in LOADED))


def example_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the files that list the available variables, those of the service first."""
    folders = dict.fromkeys((service.directory, root))
    names = (os.path.join(folder, name) for folder in folders for name in (*_FOR_DEVELOPMENT, *EXAMPLES))  # noqa: PTH118 - as above
    yield from in_bounds(root, service, (Path(name) for name in names if os.path.isfile(name)))  # noqa: PTH113


def in_bounds(root: Path, service: Service, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the existing files among these that lie in the repository of the project or of the service."""
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
    """Return the paths at which the `.env` files of a service may lie; later ones take precedence."""
    return map(Path, _candidates(root, service))


def _candidates(root: Path, service: Service) -> Iterable[str]:
    folders = (str(root), str(service.directory))
    return dict.fromkeys(os.path.join(folder, ENV_FILE) for folder in folders)  # noqa: PTH118 - as above


def _may_be_read(path: str) -> bool:
    """Whether a path is a file or a named pipe."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as above
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def bounds_for(root: Path, service: Service) -> Bounds:
    """Return the bounds of a project and of the folder of one of its services, which may lie elsewhere."""
    bounds = bounds_of(root)
    return Bounds(root, (*bounds.tops, *bounds_of(service.directory).tops))
