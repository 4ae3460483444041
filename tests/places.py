"""Where devinit keeps what belongs to a checkout, for tests that look into it or damage it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devinit.system.birth import birth_of
from devinit.system.state_folders import state_folder


def state_of(root: Path) -> Path:
    """Return the folder of a checkout's logs, data and records."""
    return Path(state_folder(root))


def require_git() -> None:
    """Skip the test on a machine without git: it makes repositories and worktrees."""
    if shutil.which("git") is None:
        pytest.skip("needs git")


def require_birth(folder: Path) -> None:
    """Skip the test where the file system does not say when a folder came into being."""
    if not birth_of(folder):
        pytest.skip("needs a file system that keeps the time of birth")


@contextmanager
def deep(folder: Path, levels: int = 1200) -> Iterator[None]:
    """Let there be folders named d within folders, more levels than Python can recurse into, also when deleting."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", str(folder / "d")], check=True)
