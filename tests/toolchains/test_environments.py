"""Specifies which virtual environments a folder has."""

from __future__ import annotations

import time
from pathlib import Path

from devinit.toolchains.python.environments import environments

MANY = 30_000
SOON_SECONDS = 0.1
"""Of the processor; one look at each file takes several times as long."""


def make(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    return folder


class TestAnEnvironment:
    def test_of_an_unusual_name_is_found_by_its_mark(self, tmp_path: Path) -> None:
        (tmp_path / "app").mkdir()
        made = make(tmp_path / "shop-env")

        assert environments(tmp_path) == [made]

    def test_may_be_a_link(self, tmp_path: Path) -> None:
        made = make(tmp_path / "elsewhere/env-of-shop")
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop/shop-env").symlink_to(made)

        assert environments(tmp_path / "shop") == [tmp_path / "shop/shop-env"]


class TestAFolderOfManyFiles:
    def test_is_looked_through_soon(self, tmp_path: Path) -> None:
        for number in range(MANY):
            (tmp_path / f"picture-{number}.png").touch()
        began = time.process_time()

        assert environments(tmp_path) == []

        assert time.process_time() - began < SOON_SECONDS
