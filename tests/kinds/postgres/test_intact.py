"""Specifies what is said about a data directory of PostgreSQL that is not whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import DevinitError, ProviderError
from devinit.model.service import Service

if TYPE_CHECKING:
    from tests.kinds.conftest import Bench


@pytest.fixture
def service(bench: Bench, any_postgres: Path) -> Service:
    """A PostgreSQL that has its data directory."""
    service = bench.postgres(any_postgres)
    bench.prepare(service)
    return service


def refusal(bench: Bench, service: Service) -> tuple[str, str]:
    with pytest.raises(ProviderError) as error:
        bench.prepare(service)
    return error.value.message, str(error.value.hint)


class TestADataDirectory:
    @pytest.mark.parametrize(
        ("content", "says"), [("", "is empty"), ("\0\0\0", "is empty"), ("eighteen\n", "names no version")]
    )
    def test_whose_version_cannot_be_read_is_refused_with_the_file_and_the_ways_out(
        self, bench: Bench, service: Service, content: str, says: str
    ) -> None:
        [path] = bench.data.glob("postgres/pg*/PG_VERSION")
        major = path.read_text().strip()
        path.write_text(content)

        message, hint = refusal(bench, service)

        assert message == f"{path} {says}"
        assert f"echo {major} > " in hint
        assert "or begin with an empty database: mv " in hint
        assert path.read_text() == content

    @pytest.mark.parametrize(
        "name",
        [
            *("base", "global", "pg_wal", "global/pg_control"),
            *("postgresql.conf", "pg_hba.conf", "devinit.pgpass"),
        ],
    )
    def test_without_one_of_its_parts_is_refused_by_name(
        self, bench: Bench, service: Service, name: str
    ) -> None:
        [cluster] = bench.data.glob("postgres/pg*")
        path = cluster / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

        message, hint = refusal(bench, service)

        assert f"{cluster} is incomplete: {name} is missing" in message
        assert "bring it back from a backup" in hint

    @pytest.mark.parametrize("name", ["PG_VERSION", "postmaster.pid", "postgresql.conf", "global/pg_control"])
    def test_with_a_named_pipe_in_place_of_a_file_is_refused_by_name(
        self, bench: Bench, service: Service, name: str
    ) -> None:
        [cluster] = bench.data.glob("postgres/pg*")
        (cluster / name).unlink(missing_ok=True)
        os.mkfifo(cluster / name)

        with pytest.raises(DevinitError, match=f"{name} is a named pipe, not a file"):
            bench.prepare(service)

    def test_with_an_empty_file_is_refused_by_name(self, bench: Bench, service: Service) -> None:
        [path] = bench.data.glob("postgres/pg*/global/pg_control")
        path.write_bytes(b"")

        assert "is incomplete: global/pg_control is empty" in refusal(bench, service)[0]
