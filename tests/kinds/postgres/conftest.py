"""Clusters that are copies of one that initdb made: it computes for most of a second, a copy for a twentieth."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devinit.kinds.postgres import cluster
from devinit.kinds.postgres.account import Account
from devinit.kinds.programs import Program
from devinit.kinds.provider import Place


class Templates:
    """The first cluster of each program, as initdb made it; nothing has run in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Program, Path] = {}
        self._initdb = cluster._initdb

    def copy(self, program: Program, folder: Path, account: Account, place: Place) -> None:
        """Do what `cluster._initdb` does. What another user shall own is not copied."""
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
    """What the tests of a session copy."""
    return Templates(tmp_path_factory.mktemp("clusters"))


@pytest.fixture
def own_initdb() -> None:
    """Let initdb make each cluster of a test, which is about that."""


@pytest.fixture(autouse=True)
def copied_clusters(
    request: pytest.FixtureRequest, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let each other test have copies."""
    if "own_initdb" not in request.fixturenames:
        monkeypatch.setattr(cluster, "_initdb", templates.copy)
