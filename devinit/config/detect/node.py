"""Recognise a Node package by its scripts, its package manager and the development server that it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from devinit.config.detect.finding import Finding, read_package, table
from devinit.model.defaults import LOCAL_HOST, preferring
from devinit.model.service import Service
from devinit.system.bounds import Bounds

# Vite listens on what `localhost` resolves to first, which may be ::1 alone, so it gets the address as an option.
# Next listens on every address; its HMR accepts localhost only as long as no host is given.
PORT_FLAGS = {
    "vite": f"--host {LOCAL_HOST} --port ${{PORT}} --strictPort",
    "next": "--port ${PORT}",
}
"""How a development server gets its port. Every other one is left to read PORT."""

MANAGERS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
"""Lock file → the package manager that wrote it."""
_SCRIPTS = ("dev", "start")
_SEVERAL = re.compile(r"(?<![\w-])(concurrently|npm-run-all|run-p|turbo|nx|lerna)\b|(?<![&>])&(?![&>])")
"""Scripts that start several programs: flags would reach the wrong one."""


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
    tool = _tool(scripts[script])
    service = Service(
        name=name,
        command=_command(manager, script, PORT_FLAGS.get(tool or "")),
        directory=folder,
        port=preferring(name, port, browser=True),
        depends_on=depends_on,
        # Next compiles its first page when it is asked for: 10 to 20 s that a person would wait.
        warm="/" if tool == "next" and script == "dev" else None,
    )
    return Finding(
        service, (*_several(folder, scripts[script]), *_not_installed(bounds.root, folder, manager))
    )


def package_manager(bounds: Bounds, folder: Path, package: dict[str, Any]) -> str:
    """Return what package.json names, else what wrote the lock file; the folder's own before the root's."""
    root = bounds.root
    for place, described in ((folder, package), (root, read_package(root, bounds) or {})):
        named = str(described.get("packageManager", "")).partition("@")[0]
        if named in MANAGERS.values():
            return named
        for lock_file, manager in MANAGERS.items():
            if (place / lock_file).is_file():
                return manager
    return "npm"


def _tool(script: str) -> str | None:
    """Return the program whose port can be set by flags after the script: they reach its last command."""
    if _SEVERAL.search(script):
        return None
    words = re.split(r"&&|\|\||;", script)[-1].split()
    for word in words:
        if word in PORT_FLAGS:
            return word
        # What may stand before the program: an assignment, a wrapper, its flags.
        if not re.fullmatch(r"\w+=.*|cross-env|npx|bunx|dotenv|--?[\w.-]*|\.env[\w.]*", word):
            return None
    return None


def _command(manager: str, script: str, flags: str | None) -> str:
    command = f"{manager} run {script}"
    if flags is None:
        return command
    # npm keeps flags for itself unless they stand after --; pnpm would pass the -- on.
    return f"{command} -- {flags}" if manager == "npm" else f"{command} {flags}"


def _several(folder: Path, script: str) -> tuple[str, ...]:
    if not _SEVERAL.search(script):
        return ()
    return (f"{folder.name}/: its script starts several programs ({script}); one service for each is better",)


def _not_installed(root: Path, folder: Path, manager: str) -> tuple[str, ...]:
    # Yarn's Plug'n'Play installs without node_modules.
    places = (folder / "node_modules", root / "node_modules", folder / ".pnp.cjs", root / ".pnp.cjs")
    if any(place.exists() for place in places):
        return ()
    return (f"{folder.name}/: node_modules is missing; `cd {folder.name} && {manager} install` makes it",)
