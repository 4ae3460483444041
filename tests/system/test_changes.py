"""Specifies `devinit.system.changes`: whether files were written since a moment."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from devinit.system.changes import have_changed_since, latest_change_since

EARLIER, LATER = 1_000_000_000, 4_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("")
    return tmp_path


class TestFiles:
    def test_have_changed_when_one_was_written(self, folder: Path) -> None:
        assert have_changed_since(time.time() - 60, [str(folder)], [])
        assert not have_changed_since(time.time() + 60, [str(folder)], [])

    @pytest.mark.parametrize(
        ("pattern", "has_changed"), [("*.py", True), ("src/*.py", True), ("*.toml", False)]
    )
    def test_have_changed_when_they_fit_a_pattern(
        self, folder: Path, pattern: str, *, has_changed: bool
    ) -> None:
        assert have_changed_since(time.time() - 60, [str(folder)], [pattern]) is has_changed

    @pytest.mark.parametrize("name", [".venv", "node_modules", "__pycache__"])
    def test_of_others_do_not_count(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("")

        assert not have_changed_since(time.time() - 60, [str(tmp_path)], [])

    def test_that_were_moved_here_with_an_earlier_time_have_changed(self, folder: Path) -> None:
        os.utime(folder / "src" / "a.py", (EARLIER, EARLIER))

        assert have_changed_since(time.time() - 60, [str(folder)], [])

    def test_of_a_folder_that_is_not_there_have_not(self, tmp_path: Path) -> None:
        assert not have_changed_since(0, [str(tmp_path / "gone")], [])

    def test_were_written_last_at_the_latest_of_their_times(self, folder: Path) -> None:
        (folder / "b.py").write_text("")
        os.utime(folder / "b.py", (LATER, LATER))

        assert latest_change_since(time.time() - 60, [str(folder)]) == LATER
        assert latest_change_since(LATER, [str(folder)]) is None
