"""Specifies what is counted of every request for a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.model.port import GrantedPort, VerdictKind
from devinit.ports import statistics
from devinit.ports.statistics import Statistics, counted
from devinit.system.paths import state_directory

FREE = GrantedPort(service="backend", port=8000, preferred=8000)
MOVED = GrantedPort(
    service="backend", port=8001, preferred=8000, moved_from=8000, attempts=2, kind=VerdictKind.OURS
)


class TestWhatIsCounted:
    def test_of_a_port_that_was_free(self) -> None:
        after = counted(Statistics(), [FREE])

        assert (after.granted, after.preferred, after.fallback, after.attempts) == (1, 1, 0, 1)
        assert after.conflicts == {}

    def test_of_a_port_that_was_taken(self) -> None:
        after = counted(counted(Statistics(), [MOVED]), [FREE, MOVED])

        assert (after.granted, after.preferred, after.fallback, after.attempts) == (3, 1, 2, 5)
        assert after.conflicts == {"ours": {"move": 2}}

    def test_of_a_holder_that_was_ended(self) -> None:
        ended = GrantedPort(service="web", port=3000, preferred=3000, killed=("vite (pid 1)",))

        after = counted(Statistics(), [ended])

        assert (after.preferred, after.conflicts) == (1, {"unknown": {"kill": 1}})

    def test_of_a_reservation_that_was_taken_over(self) -> None:
        taken = GrantedPort(service="web", port=3000, preferred=3000, kind=VerdictKind.RESERVED)

        assert counted(Statistics(), [taken]).conflicts == {"reserved": {"take": 1}}

    def test_of_a_server_that_is_used_as_it_is(self) -> None:
        used = GrantedPort(service="postgres", port=5432, preferred=5432, uses="PostgreSQL 18")

        after = counted(Statistics(), [used])

        assert (after.granted, after.used, after.success) == (0, 1, 1.0)

    def test_of_a_search_that_failed(self) -> None:
        after = counted(counted(Statistics(), [FREE]), (), failed=True)

        assert (after.failed, after.success) == (1, 0.5)
        assert Statistics().success is None


class TestTheFile:
    def test_is_kept_for_each_checkout(self, tmp_path: Path) -> None:
        statistics.count(tmp_path / "shop", "shop", [FREE])
        statistics.count(tmp_path / "shop", "shop", [MOVED])
        statistics.count(tmp_path / "blog", "blog", [FREE])

        found = {each.project: each for each in statistics.of_all()}

        assert (found["shop"].granted, found["blog"].granted) == (2, 1)
        assert found["shop"] == statistics.of(tmp_path / "shop")
        assert found["shop"].since > 0

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"preferred": "many"}', "[" * 100_000])
    def test_that_cannot_be_read_begins_anew(self, tmp_path: Path, content: str) -> None:
        statistics.count(tmp_path, "shop", [FREE])
        [path] = (state_directory() / statistics.FOLDER).glob("*.json")
        path.write_text(content)

        statistics.count(tmp_path, "shop", [FREE])

        assert statistics.of(tmp_path).granted == 1

    def test_that_cannot_be_written_keeps_no_port_back(self, tmp_path: Path) -> None:
        (state_directory() / statistics.FOLDER).write_text("mine")

        statistics.count(tmp_path, "shop", [FREE])

        assert statistics.of_all() == []
        assert statistics.of(tmp_path) == Statistics()

    def test_goes_with_what_is_remembered(self, tmp_path: Path) -> None:
        statistics.count(tmp_path, "shop", [FREE])

        statistics.forget(tmp_path)
        statistics.forget(tmp_path)

        assert statistics.of_all() == []
