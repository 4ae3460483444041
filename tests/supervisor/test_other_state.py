"""Specifies what commands say of a checkout that runs with another state folder: another HOME, user or container."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.supervisor.conftest import Shop

RUNS = "runs with another state folder"


@pytest.fixture
def other(tmp_path: Path) -> dict[str, str]:
    """The environment of a container that shares the checkout."""
    folders = {name: tmp_path / "other" / name for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR")}
    for folder in folders.values():
        folder.mkdir(parents=True, mode=0o700)
    return {name: str(folder) for name, folder in folders.items()}


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    shop.service("backend", port=port)
    shop.up()
    return shop


class TestServicesThatRunWithAnotherStateFolder:
    @pytest.mark.parametrize("words", [["stop"], ["stop", "--json"], ["check"], ["wait", "--timeout", "1"]])
    def test_are_an_error_of_what_has_to_reach_them(
        self, running: Shop, other: dict[str, str], words: list[str]
    ) -> None:
        done = running(*words, **other)

        assert done.returncode == 5
        assert RUNS in done.stderr

    @pytest.mark.parametrize("words", [["status"], ["why", "backend"], ["env"]])
    def test_are_named_by_what_only_shows(
        self, running: Shop, other: dict[str, str], words: list[str]
    ) -> None:
        done = running(*words, **other)

        assert done.returncode == 0
        assert RUNS in done.stderr

    def test_are_named_in_json(self, running: Shop, other: dict[str, str]) -> None:
        assert RUNS in json.loads(running("status", "--json", **other).stdout)["out_of_reach"]

    def test_are_not_said_to_run_once_they_are_stopped(self, running: Shop, other: dict[str, str]) -> None:
        running("stop")

        done = running("stop", **other)

        assert done.returncode == 0
        assert "nothing runs" in done.stderr
        assert "was last started with another state folder" in done.stderr

    def test_are_no_matter_to_the_side_that_runs_them(self, running: Shop) -> None:
        said = [running(*words).stderr for words in (["status"], ["env"], ["check"], ["why", "backend"])]

        assert "another state folder" not in "".join(said)
        assert (running.root / ".backend-port.json").exists()


class TestServicesThatRunOnBothSides:
    """The other side has started its own since, so `.env.runtime` names those."""

    @pytest.fixture
    def both(self, running: Shop, other: dict[str, str]) -> Iterator[Shop]:
        assert running("start", "--on-conflict", "move", **other).returncode == 0
        yield running
        assert running("stop", **other).returncode == 0

    @pytest.mark.parametrize("words", [["run", "--", "true"], ["env"]])
    def test_are_no_second_set_that_a_start_would_make(self, both: Shop, words: list[str]) -> None:
        done = both(*words)

        assert done.returncode == 0
        assert "with another state folder (another user, HOME or container) as well" in done.stderr
        assert "second set" not in done.stderr

    def test_have_their_own_file_again_as_the_advice_says(self, both: Shop) -> None:
        assert "`devinit start` writes it for those of this one" in both("run", "true").stderr

        assert both("start").returncode == 0

        assert both("run", "true").stderr == ""

    def test_are_a_second_set_where_nothing_runs(self, both: Shop) -> None:
        both("stop")

        assert "`devinit start` starts a second set" in both("run", "true").stderr


class TestACheckoutWhoseStateIsForgotten:
    def test_is_not_said_to_have_another_state_folder(self, running: Shop) -> None:
        running("stop")
        assert running("forget", "--data").returncode == 0

        done = running("start")

        assert done.returncode == 0
        assert "another state folder" not in done.stderr
