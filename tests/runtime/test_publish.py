from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from stat import S_IMODE

import pytest

from devinit.errors import ConfigError, StateFileError
from devinit.model.service import Endpoint
from devinit.runtime.publish import publish_environment, remove_discovery, write_discovery

BACKEND = Endpoint(service="backend", host="127.0.0.1", port=8001, url="http://localhost:8001")
NOW = 1_750_000_000.25


class TestTheEnvironmentFile:
    def test_is_written_for_its_owner_only(self, tmp_path: Path) -> None:
        assert publish_environment(tmp_path, {"BACKEND_PORT": "8001"})

        path = tmp_path / ".env.runtime"
        assert path.read_text().endswith("\nBACKEND_PORT=8001\n")
        assert S_IMODE(path.stat().st_mode) == 0o600

    def test_says_whether_it_changed(self, tmp_path: Path) -> None:
        publish_environment(tmp_path, {"BACKEND_PORT": "8001"})

        assert not publish_environment(tmp_path, {"BACKEND_PORT": "8001"})
        assert publish_environment(tmp_path, {"BACKEND_PORT": "8002"})

    def test_becomes_private_when_it_was_not(self, tmp_path: Path) -> None:
        publish_environment(tmp_path, {"A": "1"})
        (tmp_path / ".env.runtime").chmod(0o644)

        publish_environment(tmp_path, {"A": "1"})

        assert S_IMODE((tmp_path / ".env.runtime").stat().st_mode) == 0o600

    def test_replaces_whatever_was_there(self, tmp_path: Path) -> None:
        (tmp_path / ".env.runtime").write_bytes(b"\xff old")

        assert publish_environment(tmp_path, {"A": "1"})

        assert (tmp_path / ".env.runtime").read_text().endswith("\nA=1\n")

    def test_survives_a_value_that_cannot_be_written(self, tmp_path: Path) -> None:
        publish_environment(tmp_path, {"A": "1"})

        with pytest.raises(ConfigError, match=r"^B cannot be written"):
            publish_environment(tmp_path, {"A": "2", "B": "\r"})

        assert (tmp_path / ".env.runtime").read_text().endswith("\nA=1\n")

    def test_is_named_when_it_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / ".env.runtime").mkdir()

        with pytest.raises(StateFileError, match=r"\.env\.runtime is a directory, not a file"):
            publish_environment(tmp_path, {"A": "1"})


class TestADiscoveryFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / ".backend-port.json"

    def test_says_where_the_service_answers_and_since_when_that_is_known(self, path: Path) -> None:
        write_discovery(path, BACKEND, process_id=4242, now=NOW)

        assert json.loads(path.read_text()) == {
            "port": 8001,
            "host": "127.0.0.1",
            "url": "http://localhost:8001",
            "timestamp": "2025-06-15T15:06:40.250Z",
            "process_id": 4242,
        }
        assert S_IMODE(path.stat().st_mode) == 0o600

    def test_has_a_timestamp_that_every_language_reads_as_a_moment(self, path: Path) -> None:
        write_discovery(path, BACKEND, process_id=4242, now=NOW)

        assert datetime.fromisoformat(json.loads(path.read_text())["timestamp"]).timestamp() == NOW

    def test_is_younger_when_it_is_written_again(self, path: Path) -> None:
        write_discovery(path, BACKEND, process_id=4242, now=NOW)
        write_discovery(path, BACKEND, process_id=4242, now=NOW + 10)

        assert json.loads(path.read_text())["timestamp"] == "2025-06-15T15:06:50.250Z"

    def test_goes_when_its_service_stops(self, path: Path) -> None:
        write_discovery(path, BACKEND, process_id=4242, now=NOW)

        assert remove_discovery(path, port=8001, process_id=4242)
        assert not path.exists()

    @pytest.mark.parametrize(("port", "process_id"), [(8002, 4242), (8001, 4243)])
    def test_stays_when_it_speaks_of_another_run(self, path: Path, port: int, process_id: int) -> None:
        write_discovery(path, BACKEND, process_id=4242, now=NOW)

        assert not remove_discovery(path, port=port, process_id=process_id)
        assert path.exists()

    @pytest.mark.parametrize(
        "content", ["", "[]", "{", '{"port": 8001}', '{"port": "8001", "process_id": 4242}']
    )
    def test_stays_when_it_cannot_be_read(self, path: Path, content: str) -> None:
        path.write_text(content)

        assert not remove_discovery(path, port=8001, process_id=4242)
        assert path.read_text() == content

    def test_may_be_gone_already(self, path: Path) -> None:
        assert not remove_discovery(path, port=8001, process_id=4242)
