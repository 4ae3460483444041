"""Specifies which ports a linked git worktree prefers, with real worktrees."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.load import load
from devinit.config.slots import next_slot, request_in_slot, slot_of
from devinit.errors import StateFileError
from devinit.model.port import PortRequest
from tests.conftest import Machine
from tests.places import require_git

Add = Callable[[str], Path]
CONFIGURATION = """
[services.backend]
command = "serve"
port = 8000
extra_ports = { debugger = 5678 }

[services.frontend]
command = "serve"
port = 3000
strict_port = true
"""


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The main checkout of a repository."""
    require_git()
    root = tmp_path / "shop"
    root.mkdir()
    (root / "devinit.toml").write_text(CONFIGURATION)
    (root / "part").mkdir()
    (root / "part" / "devinit.toml").write_text(CONFIGURATION)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "begin")
    return root


@pytest.fixture
def add(shop: Path, tmp_path: Path) -> Add:
    """Add a linked worktree with a branch of its own."""

    def adding(name: str) -> Path:
        path = tmp_path / name
        git(shop, "worktree", "add", "--quiet", "-b", name, str(path))
        return path

    return adding


class TestTheSlot:
    def test_of_the_main_checkout_is_0(self, shop: Path) -> None:
        assert slot_of(shop) == 0

    def test_of_a_folder_outside_of_git_is_0(self, tmp_path: Path) -> None:
        assert slot_of(tmp_path) == 0

    def test_of_linked_worktrees_counts_from_1(self, add: Add) -> None:
        assert [slot_of(add(name)) for name in ("a", "b", "c")] == [1, 2, 3]

    def test_is_the_same_from_then_on(self, add: Add) -> None:
        first, second = add("a"), add("b")
        assert (slot_of(second), slot_of(first)) == (1, 2)

        assert (slot_of(first), slot_of(second)) == (2, 1)

    def test_is_the_worktree_s_also_for_a_project_in_a_folder_of_it(self, add: Add) -> None:
        worktree = add("a")

        assert slot_of(worktree / "part") == slot_of(worktree) == 1

    def test_of_a_worktree_that_was_removed_is_given_out_again(self, shop: Path, add: Add) -> None:
        first, second = add("a"), add("b")
        assert (slot_of(first), slot_of(second)) == (1, 2)
        git(shop, "worktree", "remove", "--force", str(first))

        assert slot_of(add("c")) == 1
        assert slot_of(second) == 2

    def test_is_counted_for_each_repository_alone(self, shop: Path, add: Add, tmp_path: Path) -> None:
        assert slot_of(add("a")) == 1
        other = tmp_path / "blog"
        shutil.copytree(shop, other)
        git(other, "worktree", "prune")
        git(other, "worktree", "add", "--quiet", "-b", "z", str(tmp_path / "z"))

        assert slot_of(tmp_path / "z") == 1

    def test_is_never_given_twice_however_many_ask_at_once(self, add: Add) -> None:
        worktrees = [add(f"w{number}") for number in range(8)]
        code = "import sys; from devinit.config.slots import slot_of; print(slot_of(sys.argv[1]))"

        asking = [
            subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
            for path in worktrees
            for _ in range(2)
        ]
        answers = [int(process.communicate(timeout=60)[0]) for process in asking]

        assert sorted(answers) == sorted(list(range(1, 9)) * 2)
        assert answers[::2] == answers[1::2]

    def test_is_refused_by_the_name_of_a_file_that_cannot_be_read(self, add: Add, machine: Machine) -> None:
        worktree = add("a")
        slot_of(worktree)
        path = machine.state / "devinit" / "worktrees.json"
        path.write_text(json.dumps({"slots": {"/x": [1]}}))

        with pytest.raises(StateFileError, match=str(path)):
            slot_of(worktree)


class TestAProjectInALinkedWorktree:
    def test_prefers_ports_10_above_those_of_its_configuration(self, add: Add) -> None:
        services = load(add("a")).services

        assert services["backend"].port is not None
        assert services["backend"].port.preferred == 8010
        assert (services["backend"].port.first, services["backend"].port.last) == (8000, 8099)
        assert [each.preferred for each in services["backend"].extra_ports] == [5688]

    def test_keeps_a_fixed_port(self, add: Add) -> None:
        frontend = load(add("a")).services["frontend"].port

        assert frontend is not None
        assert frontend.preferred == 3000

    def test_is_shifted_also_where_it_was_detected(self, add: Add) -> None:
        root = add("a")
        (root / "devinit.toml").unlink()
        (root / "backend").mkdir()
        (root / "backend" / "requirements.txt").write_text("fastapi\nuvicorn\n")
        (root / "backend" / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")

        backend = load(root).services["backend"].port

        assert backend is not None
        assert backend.preferred == 8010


class TestAPortInASlot:
    @pytest.mark.parametrize(
        ("slot", "preferred"), [(0, 8000), (1, 8010), (9, 8090), (10, 8000), (11, 8010), (25, 8050)]
    )
    def test_stays_in_the_range_and_begins_anew_behind_it(self, slot: int, preferred: int) -> None:
        request = PortRequest(service="web", preferred=8000, first=8000, last=8099)

        assert request_in_slot(request, slot).preferred == preferred

    @pytest.mark.parametrize(("slot", "preferred"), [(1, 8006), (2, 8005), (3, 8004)])
    def test_differs_also_in_a_narrow_range(self, slot: int, preferred: int) -> None:
        request = PortRequest(service="web", preferred=8007, first=8000, last=8010)

        assert request_in_slot(request, slot).preferred == preferred


class TestTheNextSlot:
    @pytest.mark.parametrize(
        ("taken", "slot"), [({}, 1), ({"a": 1}, 2), ({"b": 2}, 1), ({"a": 1, "c": 3}, 2)]
    )
    def test_is_the_lowest_that_is_free(self, taken: dict[str, int], slot: int) -> None:
        assert next_slot(taken) == slot
