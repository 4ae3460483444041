"""Specifies `stop --all`: every project, from any folder, and a word about each that could not be stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinit.control.waking import supervisor_of
from tests.cli.conftest import PATIENCE, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "blog")
    yield made
    made.finish()


def stop_all(elsewhere: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devinit", "stop", "--all", *words],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class TestEveryProject:
    def test_is_stopped_also_without_its_supervisor_or_its_folder(
        self, shop: Shop, blog: Shop, tmp_path: Path, port: int
    ) -> None:
        gone = Shop(tmp_path / "gone")
        for number, each in enumerate((shop, blog, gone)):
            each.service("web", port=port + number)
            assert each("start").returncode == 0
        for each in (blog, gone):
            supervisor = supervisor_of(each.root)
            assert supervisor is not None
            os.kill(supervisor, signal.SIGKILL)
        shutil.rmtree(gone.root)

        done = stop_all(tmp_path)

        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.count("stopped web") == 3
        assert str(shop.root) in done.stderr
        said = stop_all(tmp_path)
        assert (said.returncode, said.stderr) == (0, "nothing runs in any project\n")

    def test_is_told_to_a_program(self, shop: Shop, tmp_path: Path, port: int) -> None:
        shop.service("web", port=port)
        assert shop("start").returncode == 0

        done = json.loads(stop_all(tmp_path, "--json").stdout)

        (project,) = done["projects"]
        assert project == {
            "project": "shop",
            "root": str(shop.root),
            "stopped": ["web"],
            "left": [],
            "error": None,
        }

    def test_that_cannot_be_reached_is_named_and_a_failure(
        self, shop: Shop, blog: Shop, tmp_path: Path, port: int
    ) -> None:
        for number, each in enumerate((shop, blog)):
            each.service("web", port=port + number)
            assert each("start").returncode == 0
        hanging = supervisor_of(blog.root)
        assert hanging is not None
        os.kill(hanging, signal.SIGSTOP)
        try:
            done = stop_all(tmp_path)
        finally:
            os.kill(hanging, signal.SIGCONT)

        assert done.returncode == 1
        assert "stopped web" in done.stderr
        assert (
            f"was not stopped: its supervisor cannot be reached; its supervisor (pid {hanging})"
            in done.stderr
        )

    def test_leaves_no_choice_of_services(self, shop: Shop) -> None:
        done = shop("stop", "--all", "web")

        assert (done.returncode, "--all stops every project" in done.stderr) == (2, True)
