"""Specifies `devinit.kinds.surroundings`: a place that makes programs fail, or run what is not the checkout's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devinit.kinds.surroundings import original_of, warnings_about
from devinit.model.service import Service

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


class TestAName:
    @pytest.mark.parametrize(("name", "count"), [("shop", 0), ("a shop", 0), ("my:shop", 1), ("my\nshop", 1)])
    def test_is_warned_of_where_programs_would_end_it_early(self, name: str, count: int) -> None:
        root = Path(os.sep, name)

        assert len(list(warnings_about([Service(name="web", command="x", directory=root)], root))) == count
