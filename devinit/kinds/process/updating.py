"""Commands that update packages which are older than the files that declare them.

Only `start --setup` uses this. Times of files are a hint: a checkout rewrites files with the same content. An
installer that has nothing to do ends within seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from devinit.kinds.process.installing import node_manager, node_packages, python_setup
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.node.managers import install_with
from devinit.toolchains.python.environments import environments
from devinit.toolchains.python.installers import DECLARED, LOCKED

_NODE_FILES = ("package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")
_MARKS = (".package-lock.json", ".modules.yaml", ".yarn-state.yml", ".yarn-integrity")
"""Files in node_modules that a package manager writes at the end of an installation."""


def update_of(service: Service, place: Place) -> Install | None:
    """Return how to install a service's packages again; None if they are newer than their files."""
    if service.external_url is not None:
        return None
    return _of_node(service, place) or _of_python(service, place)


def _of_node(service: Service, place: Place) -> Install | None:
    manager, packages = node_manager(service), node_packages(service, place)
    if manager is None or packages is None:
        return None
    declared = [service.directory / name for name in _NODE_FILES]
    declared += [packages.parent / name for name in _NODE_FILES]
    if _latest(declared) <= _latest([packages, *(packages / name for name in _MARKS)]):
        return None
    return Install(
        folder=service.directory,
        command=install_with(manager),
        missing=f"the packages of {service.name} are older than what {service.directory} declares",
    )


def _of_python(service: Service, place: Place) -> Install | None:
    made = python_setup(service, place)
    found = [each for folder in up_to_root(service.directory, place.root) for each in environments(folder)]
    if made is None or not found:
        return None
    folder, installer = made
    declared = [folder / name for name in (*LOCKED, *DECLARED)]
    if _latest(declared) <= _latest([found[0], *found[0].glob("lib/python*/site-packages")]):
        return None
    return Install(
        folder=folder,
        command=installer.into(_shown(found[0], folder), has_pip=(found[0] / "bin/pip").exists()),
        missing=f"{found[0]} is older than what {folder} declares",
    )


def _shown(environment: Path, folder: Path) -> str:
    return str(environment.relative_to(folder) if environment.is_relative_to(folder) else environment)


def _latest(paths: Iterable[Path]) -> float:
    """Return the latest modification of these files as Unix time; 0 if none exists."""
    times = [0.0]
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(times)
