"""The folder of a project and its files, as for the configuration, and the tools of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.conftest import root, write

__all__ = ["have", "root", "write"]


@pytest.fixture
def have(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the installers of Python and Node, the only one on PATH."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("uv", "poetry", "pdm", "pipenv", "pnpm", "yarn", "npm", "npx", "bun"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder
