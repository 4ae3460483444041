"""Specifies `devinit.supervisor.record.state_file`: the record of what runs."""

from __future__ import annotations

import json
import resource
import stat
from pathlib import Path

import pytest

from devinit.errors import StateFileError
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.port import GrantedPort, Passed, PortRequest
from devinit.model.process import ProcessIdentity
from devinit.model.service import Readiness, Service, Settings, StopPolicy
from devinit.model.status import Phase
from devinit.supervisor.record.state_file import (
    Moment,
    ServiceRecord,
    State,
    read_state,
    state_path,
    write_state,
)


def full_state(root: Path) -> State:
    """Return a state in which everything is set."""
    request = PortRequest(service="db", preferred=5432, first=5432, last=5531)
    service = Service(
        name="db",
        provider="postgres",
        directory=root / "with space and ü",
        port=request,
        env_file=(root / ".env",),
        ready=Readiness(status=(200, 401)),
        env={"A": "ä\n"},
        stop=StopPolicy(signal="INT"),
        settings=PostgresSettings(database="shop", user="shop", password="shop", binaries=root / "bin"),
    )
    granted = GrantedPort(
        service="db", port=5433, preferred=5432, moved_from=5432, passed=(Passed(5432, "held by x"),)
    )
    record = ServiceRecord(
        service=service,
        identity=ProcessIdentity(42, 4711, "boot"),
        ports=(granted,),
        phase=Phase.BACKOFF,
        proven=True,
        restarts=3,
        started_at=1.5,
        listener=43,
        log_offset=99,
    )
    return State(
        root=str(root),
        boot_id="boot",
        project="shop",
        profile="ci",
        services={"db": record},
        moments={"db": Moment(since=12.5, restarted_for="app.py changed")},
    )


class TestTheState:
    def test_is_read_back_as_it_was_written(self, tmp_path: Path) -> None:
        state = full_state(tmp_path)

        write_state(tmp_path, state)

        assert read_state(tmp_path) == state

    def test_of_a_project_that_never_ran_is_empty(self, tmp_path: Path) -> None:
        assert read_state(tmp_path) == State()

    def test_is_readable_for_its_owner_only(self, tmp_path: Path) -> None:
        write_state(tmp_path, full_state(tmp_path))

        assert stat.S_IMODE(state_path(tmp_path).stat().st_mode) == 0o600

    def test_that_is_empty_is_told_by_its_text(self, tmp_path: Path) -> None:
        """As `control.launch` does, which must not decode it."""
        write_state(tmp_path, State(project="shop"))

        assert '"services":{}' in state_path(tmp_path).read_text()

    @pytest.mark.parametrize(
        "garbage",
        ["{", "[]", '{"services": 3}', '{"services": {"db": {}}}', '{"version": "x"}', "\0{}"],
    )
    def test_that_is_garbage_is_refused_by_name_and_kept(self, tmp_path: Path, garbage: str) -> None:
        state_path(tmp_path).write_text(garbage)

        with pytest.raises(StateFileError, match=r"state\.json cannot be read") as caught:
            read_state(tmp_path)

        assert caught.value.hint
        assert state_path(tmp_path).read_text() == garbage

    @pytest.mark.parametrize("left", ["", "\n", "\0\0\0"])
    def test_that_a_power_cut_left_without_content_is_empty(self, tmp_path: Path, left: str) -> None:
        state_path(tmp_path).write_text(left)

        assert read_state(tmp_path) == State()

    def test_that_is_not_text_is_refused_by_name(self, tmp_path: Path) -> None:
        state_path(tmp_path).write_bytes(b"\xff\xff")

        with pytest.raises(StateFileError, match=r"state\.json is not UTF-8"):
            read_state(tmp_path)

    def test_survives_a_disk_that_is_full(self, tmp_path: Path) -> None:
        before = full_state(tmp_path)
        write_state(tmp_path, before)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        # A file that may not grow any more fails as a full disk does, in the middle of writing.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            with pytest.raises(StateFileError, match=r"state\.json cannot be written"):
                write_state(tmp_path, State(project="x" * 1000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        assert read_state(tmp_path) == before
        assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


class TestARecordOfVersion01:
    """It has the settings of databases as fields of the service."""

    @pytest.mark.parametrize(
        ("service", "settings"),
        [
            (
                {
                    "provider": "postgres",
                    "database": {
                        "database": "shop",
                        "user": "ada",
                        "password": "s",
                        "databases": ["shop_test"],
                    },
                    "binaries": "/opt/pg/bin",
                },
                PostgresSettings(
                    database="shop",
                    user="ada",
                    password="s",
                    databases=("shop_test",),
                    binaries=Path("/opt/pg/bin"),
                ),
            ),
            ({"provider": "postgres", "database": None, "external_url": "postgresql://x/y"}, None),
            ({"provider": "redis", "binaries": "/opt"}, RedisSettings(binaries=Path("/opt"))),
            ({"provider": "process", "database": None, "binaries": None}, None),
        ],
    )
    def test_is_read_with_them(
        self, tmp_path: Path, service: dict[str, object], settings: Settings | None
    ) -> None:
        described = {"name": "a", "directory": "/shop", **service}
        state_path(tmp_path).write_text(json.dumps({"version": 1, "services": {"a": {"service": described}}}))

        assert read_state(tmp_path).services["a"].service.settings == settings
