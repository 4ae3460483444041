"""Specifies `devinit.supervisor.surroundings`: a place that makes programs fail, or run what is not the checkout's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.service import Service
from devinit.supervisor.surroundings import original_of, warnings_about

if TYPE_CHECKING:
    from tests.supervisor.conftest import MakeShop

WITH_VENV = (sys.executable, "-m", "venv", "--without-pip")
WITH_UV = ("uv", "venv", "--offline", "--python", sys.executable)


def environment(folder: Path, *make: str) -> Path:
    if shutil.which(make[0]) is None:
        pytest.skip(f"there is no {make[0]} on this machine")
    subprocess.run([*make, str(folder / ".venv")], check=True, capture_output=True)
    return folder / ".venv"


@pytest.mark.parametrize("make", [WITH_VENV, WITH_UV], ids=["venv", "uv"])
class TestAVirtualEnvironment:
    def test_that_was_copied_is_known_by_its_original(self, tmp_path: Path, make: tuple[str, ...]) -> None:
        original = environment(tmp_path / "first", *make)
        shutil.copytree(original, tmp_path / "second" / ".venv", symlinks=True)

        assert original_of(original) is None
        assert original_of(tmp_path / "second" / ".venv") == original

    def test_that_was_moved_or_is_reached_by_a_link_is_no_copy(
        self, tmp_path: Path, make: tuple[str, ...]
    ) -> None:
        made = environment(tmp_path / "first", *make)
        (tmp_path / "link").symlink_to(tmp_path / "first")

        assert original_of(tmp_path / "link" / ".venv") is None
        assert original_of(made.rename(tmp_path / "moved")) is None


class TestAStart:
    def test_warns_of_a_copied_environment_with_the_way_to_make_a_new_one(self, make_shop: MakeShop) -> None:
        first, second = make_shop("first"), make_shop("second")
        original = environment(first.root, *WITH_VENV)
        shutil.copytree(original, second.root / ".venv", symlinks=True)
        (second.root / "uv.lock").touch()
        second.service("web", ready={"after": 0.1})

        started = second("start")

        assert started.returncode == 0
        assert f"⚠ {second.root}/.venv is a copy of {original}" in started.stderr
        assert f"`rm -r {second.root}/.venv`, then `uv sync` in {second.root}" in started.stderr

    def test_warns_of_a_line_break_in_the_name_of_its_folder(self, make_shop: MakeShop) -> None:
        shop = make_shop("my\nshop")
        shop.service("web", command="sleep 1000", ready={"after": 0.1})

        started = shop("start")

        assert started.returncode == 0
        assert (
            r"my\nshop contains a line break: virtual environments and many programs fail" in started.stderr
        )


class TestAName:
    @pytest.mark.parametrize(("name", "count"), [("shop", 0), ("a shop", 0), ("my:shop", 1), ("my\nshop", 1)])
    def test_is_warned_of_where_programs_would_end_it_early(self, name: str, count: int) -> None:
        root = Path(os.sep, name)

        assert len(list(warnings_about([Service(name="web", command="x", directory=root)], root))) == count
