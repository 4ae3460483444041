"""Specifies what `devinit doctor` says of files that cannot be watched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import pytest

from devinit.cli.doctor import watching
from devinit.cli.doctor.services import watch_of
from devinit.system import watch_limits
from devinit.system.inotify import Inotify, Unavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify")

PROJECT = """
[services.web]
command = "serve"
watch = "src"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "devinit.toml").write_text(PROJECT)
    return tmp_path


class Answering:
    """A supervisor, and the phases of its services."""

    def __init__(self, phases: dict[str, str]) -> None:
        self._phases = phases

    def call(self, *_: object, **__: object) -> dict[str, object]:
        return {"services": [{"name": name, "phase": phase} for name, phase in self._phases.items()]}


class Refusing(Inotify):
    """The user's watches are used up."""

    def watch(self, _path: object, _events: int) -> None:
        return None


def refusing() -> Inotify:
    """The user's instances are used up."""
    raise Unavailable


class TestAServiceThatIsWatched:
    def test_is_well_where_files_can_be_watched(self, root: Path) -> None:
        assert list(watching.watched_files(root, None)) == []

    @pytest.mark.parametrize(("kernel", "limit"), [(Refusing, "watches"), (refusing, "instances")])
    def test_is_named_where_the_kernel_gives_no_more(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, kernel: object, limit: str
    ) -> None:
        monkeypatch.setattr(watching, "Inotify", kernel)

        [found] = watching.watched_files(root, None)

        assert f"the files of web cannot be watched: your {limit} of inotify are used up" in found.problem
        assert f"fs.inotify.max_user_{limit}" in found.advice
        assert not found.harmless

    @pytest.mark.parametrize("kernel", [Refusing, refusing])
    def test_is_left_to_its_supervisor_which_watches_it(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, kernel: object
    ) -> None:
        """Its watches are made already; what it cannot watch is a finding about the service."""
        monkeypatch.setattr(watching, "Inotify", kernel)
        (root / "devinit.toml").write_text(f"{PROJECT}[services.worker]\ncommand = 'work'\nwatch = 'jobs'\n")
        client = Answering({"web": "ready", "worker": "stopped"})

        [found] = watching.watched_files(root, cast("Any", client))

        assert "the files of worker cannot be watched" in found.problem

    def test_is_named_where_the_file_system_reports_no_changes_of_others(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
            f"30 22 0:40 / {tmp_path} rw,relatime shared:9 - 9p host rw\n"
            f"31 22 0:41 / {tmp_path}/elsewhere rw - nfs4 server:/ rw\n"
        )
        monkeypatch.setattr(watch_limits, "MOUNTS", str(mounts))

        [found] = watching.watched_files(root, None)

        assert "lies on a file system (9p)" in found.problem
        assert found.harmless


class TestAServiceThatRuns:
    def test_is_named_when_its_supervisor_cannot_watch_it(self) -> None:
        text = "its files are not watched: inotify limit reached; `devinit restart` loads what you change"

        found = watch_of(cast("Any", {"name": "web", "watch": text}))

        assert found is not None
        assert found.problem == "web: its files are not watched: inotify limit reached"
        assert found.advice == "`devinit restart` loads what you change"
        assert not found.harmless

    def test_is_good_to_know_of_when_a_restart_waits(self) -> None:
        text = "app.py changed soon after each of the last restarts: the restart for it waits 1.2 s; leave it out"

        found = watch_of(cast("Any", {"name": "web", "watch": text}))

        assert found is not None
        assert found.harmless
        assert watch_of(cast("Any", {"name": "web", "watch": None})) is None
