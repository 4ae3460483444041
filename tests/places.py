"""The locations of a checkout's files, for tests that inspect or damage them, and requirements of tests."""

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
    """Skip the test on a machine without git, because it creates repositories and worktrees."""
    if shutil.which("git") is None:
        pytest.skip("needs git")


def require_birth(folder: Path) -> None:
    """Skip the test on a file system without creation times of folders."""
    if not birth_of(folder):
        pytest.skip("needs a file system that keeps the time of birth")


@contextmanager
def deep(folder: Path, levels: int = 1200) -> Iterator[None]:
    """Create nested folders named d, deeper than Python can recurse, even when it deletes them."""
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
