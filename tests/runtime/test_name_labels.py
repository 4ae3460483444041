from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from devinit.model.service import Project
from devinit.runtime.name_labels import FILE, label_for, wanted_label
from devinit.system.paths import state_directory
from devinit.system.worktrees import Worktree


def project(root: Path, name: str | None = None) -> Project:
    root.mkdir(parents=True, exist_ok=True)
    return Project(name=name or root.name, root=root, services={})


class TestTheLabelOfACheckout:
    def test_is_its_name_and_stays_while_another_checkout_is_called_the_same(self, tmp_path: Path) -> None:
        one, other = project(tmp_path / "one" / "shop"), project(tmp_path / "two" / "shop")

        assert label_for(one) == "shop"
        assert label_for(other) == "shop-2"
        assert label_for(one) == "shop"
        assert label_for(other) == "shop-2"

    def test_is_free_again_when_the_folder_is_gone(self, tmp_path: Path) -> None:
        one, other = project(tmp_path / "one" / "shop"), project(tmp_path / "two" / "shop")
        label_for(one)
        shutil.rmtree(one.root)

        assert label_for(other) == "shop"

    def test_is_another_one_when_the_project_is_called_otherwise(self, tmp_path: Path) -> None:
        label_for(project(tmp_path / "shop"))

        assert label_for(project(tmp_path / "shop", "market")) == "market"

    @pytest.mark.parametrize("text", ["", "no json", "[]", '{"names": {"/x": 1}}', '{"names": 7}'])
    def test_is_chosen_again_when_the_record_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        (state_directory() / FILE).write_text(text)

        assert label_for(project(tmp_path / "shop")) == "shop"
        assert json.loads((state_directory() / FILE).read_text())["version"] == 1


class TestALinkedWorktree:
    def test_has_its_branch_in_the_second_label(self, tmp_path: Path) -> None:
        there = project(tmp_path / "shop-login")
        worktree = Worktree(str(there.root), "feature/login", linked=True, main_top=str(tmp_path / "shop"))

        assert wanted_label(there, worktree) == "shop-feature-login"

    def test_keeps_the_name_that_the_project_gives_itself(self, tmp_path: Path) -> None:
        there = project(tmp_path / "wt", "market")
        worktree = Worktree(str(there.root), None, linked=True, main_top=None)

        assert wanted_label(there, worktree) == "market-wt"
