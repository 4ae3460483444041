"""Recognise a Node package by its scripts, its package manager and the development server that it runs."""

from __future__ import annotations

from pathlib import Path

from devinit.model.defaults import preferring
from devinit.model.service import Service
from devinit.sources.files import table
from devinit.sources.folders.finding import Finding
from devinit.sources.packages import (
    SEVERAL,
    command_of,
    line_of_script,
    package_manager,
    read_package,
    tool_of,
)
from devinit.system.bounds import Bounds

_SCRIPTS = ("dev", "start")


def server(
    bounds: Bounds, folder: Path, *, name: str, port: int, depends_on: tuple[str, ...]
) -> Finding | None:
    """Return the development server of a package; None without a package or a script that starts one."""
    package = read_package(folder, bounds)
    if package is None:
        return None
    scripts = table(package, "scripts")
    script = next((each for each in _SCRIPTS if isinstance(scripts.get(each), str)), None)
    if script is None:
        return None
    manager = package_manager(bounds, folder, package)
    service = Service(
        name=name,
        command=command_of(manager, script, scripts[script]),
        directory=folder,
        port=preferring(name, port, browser=True),
        depends_on=depends_on,
        # Next compiles its first page when it is asked for: 10 to 20 s that a person would wait.
        warm="/" if tool_of(scripts[script]) == "next" and script == "dev" else None,
    )
    return Finding(
        service,
        (*_several(folder, scripts[script]), *_not_installed(bounds.root, folder, manager)),
        line_of_script(folder, script, bounds),
    )


def _several(folder: Path, script: str) -> tuple[str, ...]:
    if not SEVERAL.search(script):
        return ()
    return (f"{folder.name}/: its script starts several programs ({script}); one service for each is better",)


def _not_installed(root: Path, folder: Path, manager: str) -> tuple[str, ...]:
    # Yarn's Plug'n'Play installs without node_modules.
    places = (folder / "node_modules", root / "node_modules", folder / ".pnp.cjs", root / ".pnp.cjs")
    if any(place.exists() for place in places):
        return ()
    return (f"{folder.name}/: node_modules is missing; `cd {folder.name} && {manager} install` makes it",)
