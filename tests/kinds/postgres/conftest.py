"""Copies of a cluster that initdb created: initdb takes most of a second, a copy a twentieth."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devinit.kinds.postgres import cluster
from devinit.kinds.postgres.account import Account
from devinit.kinds.programs import Program
from devinit.kinds.provider import Place


class Templates:
    """The first cluster of each program, as initdb created it; no server has run in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Program, Path] = {}
        self._initdb = cluster._initdb

    def copy(self, program: Program, folder: Path, account: Account, place: Place) -> None:
        """Replace `cluster._initdb`. It does not copy a cluster for another user."""
        if account.run_as is not None:
            self._initdb(program, folder, account, place)
            return
        if program not in self._made:
            template = self._folder / str(len(self._made))
            self._initdb(program, template, account, place)
            self._made[program] = template
        subprocess.run(["cp", "-a", self._made[program], folder], check=True)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The clusters that the tests of a session copy."""
    return Templates(tmp_path_factory.mktemp("clusters"))


@pytest.fixture
def own_initdb() -> None:
    """Let initdb create each cluster, in tests about initdb."""


@pytest.fixture(autouse=True)
def copied_clusters(
    request: pytest.FixtureRequest, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give all other tests copies."""
    if "own_initdb" not in request.fixturenames:
        monkeypatch.setattr(cluster, "_initdb", templates.copy)
