"""Specifies `status --all` and `ports --all`: every project of the machine, whatever state it is in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devinit.control.neighbours import Folder, Leased, state_of
from devinit.model.neighbour import NeighbourState
from devinit.model.port import LeaseOwner
from devinit.system.paths import socket_path
from tests.places import require_git
from tests.supervisor.conftest import FreePorts, MakeShop, Shop, end

All = Callable[..., Any]  # rows as JSON
SERVICE_UP = {"name": "web", "phase": "ready"}


@pytest.fixture
def everything(tmp_path: Path) -> All:
    """Ask for everything, in a folder that is no project."""

    def ask(command: str, *, as_json: bool = True) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "devinit", command, "--all", *(["--json"] if as_json else [])],
            cwd=tmp_path,
            env=os.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if not as_json:
            return done.stdout
        [rows] = json.loads(done.stdout).values()
        return rows

    return ask


@pytest.fixture
def shops(make_shop: MakeShop, free_ports: FreePorts) -> tuple[Shop, Shop]:
    """Two projects that want the same port, the first of them running."""
    port = free_ports(6)[0]
    first, second = make_shop("first"), make_shop("second")
    for shop in (first, second):
        shop.service("web", port=port)
    first.up()
    return first, second


def by_name(projects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {project["project"]: project for project in projects}


def listed(everything: All, name: str) -> dict[str, Any]:
    """Return a project as soon as its start is on the list, which is written after the answer."""
    deadline = time.monotonic() + 30
    while name not in (found := by_name(everything("status"))) or not found[name]["started_at"]:
        assert time.monotonic() < deadline, found
    return found[name]


class TestAllProjects:
    def test_are_none_where_devinit_was_never_used(self, everything: All) -> None:
        assert everything("status") == []
        assert everything("ports") == []

    def test_are_told_with_their_services_and_ports(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, second = shops
        port = first.status()["web"]["port"]
        second.up()
        second("stop")

        one, other = listed(everything, "first"), listed(everything, "second")

        assert (one["state"], one["root"]) == ("running", str(first.root))
        assert one["supervisor"]["pid"] == first.supervisor()
        assert one["services"] == [
            {
                "name": "web",
                "phase": "ready",
                "port": port,
                "url": f"http://localhost:{port}",
                "reserved": False,
                "program": False,
            }
        ]
        assert (other["state"], other["supervisor"]) == ("stopped", None)
        assert other["services"] == [
            {
                "name": "web",
                "phase": "stopped",
                "port": port + 1,
                "url": None,
                "reserved": True,
                "program": False,
            }
        ]
        assert [each["project"] for each in everything("status")] == ["first", "second"]

    def test_that_are_stopped_tell_which_ports_they_keep_and_which_they_used(
        self, shops: tuple[Shop, Shop], everything: All
    ) -> None:
        first, second = shops
        port = first.status()["web"]["port"]
        second.service("api", port=port + 3)
        second.up()
        second("stop")
        listed(everything, "second")

        assert (
            f"    keeps web {port + 1}  used api {port + 3}"
            in everything("status", as_json=False).splitlines()
        )
        assert [row["state"] for row in everything("ports")] == ["leased", "reserved", "stopped"]

    def test_are_told_to_people_in_few_lines(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, second = shops
        port = first.status()["web"]["port"]
        second.up()
        second("stop")
        listed(everything, "second")

        lines = everything("status", as_json=False).splitlines()

        assert lines[0].startswith("✓ first  running  ")
        assert lines[1] == f"    web {port}"
        assert lines[2].startswith("✗ second  stopped  ")
        assert "started" in lines[2]
        assert lines[3] == f"    keeps web {port + 1}"

    def test_are_forgotten_with_their_reservations_when_they_were_deleted(
        self, shops: tuple[Shop, Shop], everything: All
    ) -> None:
        first, _ = shops
        listed(everything, "first")
        first("stop")
        shutil.rmtree(first.root)

        assert everything("status") == []
        assert everything("ports") == []

    def test_of_a_linked_worktree_tell_branch_and_slot(
        self, shop: Shop, free_ports: FreePorts, everything: All, tmp_path: Path
    ) -> None:
        require_git()
        port, *_, ten_above = free_ports(11)
        shop.service("web", port=port)
        git = ["git", "-C", str(shop.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "begin"]):
            subprocess.run([*git, *words], check=True)
        linked = tmp_path / "linked"
        subprocess.run([*git, "worktree", "add", "--quiet", "-b", "feature/x", str(linked)], check=True)
        other = Shop.at(linked)
        try:
            other.up()

            project = listed(everything, "linked")
            [row] = everything("ports")
        finally:
            other("stop")
            other.finish()

        assert (project["worktree"], project["branch"], project["slot"]) == (str(linked), "feature/x", 1)
        assert (row["port"], row["branch"], row["state"]) == (ten_above, "feature/x", "leased")


class TestASupervisorThatHangs:
    def test_is_named_and_delays_nobody(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, second = shops
        second.up()
        listed(everything, "first")
        listed(everything, "second")
        pid = first.supervisor()
        os.kill(pid, signal.SIGSTOP)
        try:
            projects = by_name(everything("status"))
        finally:
            os.kill(pid, signal.SIGCONT)

        assert projects["first"]["state"] == "unreachable"
        assert f"kill -CONT {pid}" in projects["first"]["advice"]
        assert [each["phase"] for each in projects["first"]["services"]] == [None]
        assert projects["second"]["state"] == "running"

    def test_is_no_such_when_only_its_socket_vanished(
        self, shops: tuple[Shop, Shop], everything: All
    ) -> None:
        first, _ = shops
        listed(everything, "first")
        socket_path(first.root).unlink()

        assert by_name(everything("status"))["first"]["state"] == "running"


class TestASupervisorThatWasKilled:
    def test_leaves_a_project_that_says_how_to_go_on(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, _ = shops
        end(first.supervisor(), signal.SIGKILL)

        project = by_name(everything("status"))["first"]

        assert project["state"] == "orphaned"
        assert f"devinit -C {first.root} start" in project["advice"]
        assert first.supervisors() == []


class TestAllPorts:
    def test_are_those_that_are_leased_or_reserved(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, second = shops
        port = first.status()["web"]["port"]
        second.up()
        second("stop")

        rows = everything("ports")

        assert [(row["port"], row["project"], row["service"], row["state"]) for row in rows] == [
            (port, "first", "web", "leased"),
            (port + 1, "second", "web", "reserved"),
        ]

    def test_are_a_table_for_people(self, shops: tuple[Shop, Shop], everything: All) -> None:
        first, _ = shops

        head, row = everything("ports", as_json=False).splitlines()

        assert head.split() == ["PORT", "SERVICE", "PROJECT", "STATE", "BRANCH", "CHECKOUT"]
        assert row.split() == [
            str(first.status()["web"]["port"]),
            "web",
            "first",
            "leased",
            "-",
            str(first.root),
        ]


def leased(*, live: bool) -> tuple[Leased, ...]:
    owner = LeaseOwner(root="/shop", project="shop", service="web", pid=1, at=0.0)
    return (Leased(8000, owner, live),)


class TestTheStateOfAProject:
    @pytest.mark.parametrize(
        ("folder", "state"),
        [
            (Folder(root="/shop", exists=True), NeighbourState.STOPPED),
            (Folder(root="/shop", exists=True, leases=leased(live=False)), NeighbourState.STOPPED),
            (Folder(root="/shop", exists=True, leases=leased(live=True)), NeighbourState.ORPHANED),
            (Folder(root="/shop", exists=True, answer={"services": []}), NeighbourState.STOPPED),
            (Folder(root="/shop", exists=True, answer={"services": [SERVICE_UP]}), NeighbourState.RUNNING),
            (Folder(root="/shop", exists=True, supervisor=1), NeighbourState.UNREACHABLE),
            (Folder(root="/shop", exists=True, supervisor=1, leases=leased(live=True)), NeighbourState.UNREACHABLE),
            (Folder(root="/shop", exists=False), NeighbourState.STOPPED),
            (Folder(root="/shop", exists=False, leases=leased(live=True)), NeighbourState.GONE),
            (Folder(root="/shop", exists=False, answer={"services": [SERVICE_UP]}), NeighbourState.GONE),
        ],
    )  # fmt: skip
    def test_follows_from_what_was_found_out(self, folder: Folder, state: NeighbourState) -> None:
        assert state_of(folder) is state
