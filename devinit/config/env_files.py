"""Which `.env` files a service is given without naming them: those in its repository.

A cloned repository may hold `.env -> ../../other-project/.env`. A file that the user names in devinit.toml
(`env_file`) is used wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from devinit.model.service import Service
from devinit.system.bounds import ENV_FILE, Bounds, bounds_of, not_read


def usual_env_files(root: Path, service: Service) -> Iterator[Path]:
    """Yield the `.env` files that a service is given without naming them, as far as they are in bounds."""
    for path in candidates(root, service):
        if not (path.is_file() or path.is_fifo()):
            continue
        # A folder was detected in bounds, or named by the user: only the file itself may lead elsewhere.
        if not path.is_symlink() or bounds_for(root, service).holds(path):
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
