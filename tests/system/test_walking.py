from __future__ import annotations

import os
from pathlib import Path

from devinit.system.walking import walk
from tests.places import deep


class TestAWalk:
    def test_yields_what_the_walk_of_python_yields(self, tmp_path: Path) -> None:
        for name in ("a/b/1", "a/2", "c/d/e/3", "4"):
            (path := tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (tmp_path / "a" / "link").symlink_to(tmp_path / "c")
        (tmp_path / "a" / "loop").symlink_to(tmp_path)

        assert list(walk(tmp_path)) == list(os.walk(tmp_path))

    def test_enters_only_what_its_caller_leaves(self, tmp_path: Path) -> None:
        for name in ("a/b", "c/d"):
            (tmp_path / name).mkdir(parents=True)

        entered = []
        for folder, folders, _ in walk(tmp_path):
            folders[:] = [name for name in folders if name != "a"]
            entered.append(Path(folder).name)

        assert entered == [tmp_path.name, "c", "d"]

    def test_goes_deeper_than_python_recurses(self, tmp_path: Path) -> None:
        with deep(tmp_path, 1200):
            assert sum(1 for _ in walk(tmp_path)) == 1201

    def test_goes_no_deeper_than_it_may(self, tmp_path: Path) -> None:
        with deep(tmp_path, 10):
            assert sum(1 for _ in walk(tmp_path, deepest=3)) == 4
