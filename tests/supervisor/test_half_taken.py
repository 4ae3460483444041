"""Specifies PostgreSQL on a port of which somebody takes one address family while it starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from devinit.system.state_folders import outside_of
from tests.places import state_of
from tests.supervisor.conftest import Shop, Stranger

pytestmark = pytest.mark.slow


@pytest.fixture
def database(shop: Shop, port: int) -> Iterator[Shop]:
    """A project with a database that waits, with its port granted, for a word before it starts."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("needs a PostgreSQL of the system")
    os.mkfifo(shop.root / "held")
    shop.write(
        more=f'[services.db]\nprovider = "postgres"\nport = {port}\nbefore_start = "cat {shop.root}/held"\n'
    )
    yield shop
    shop("stop")
    if (outside := outside_of(str(state_of(shop.root)))) is not None:
        shutil.rmtree(outside, ignore_errors=True)


class TestAPortThatIsHalfTakenDuringTheStart:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])
    def test_is_left_for_the_next_one(
        self, database: Shop, port: int, stranger: Stranger, address: str
    ) -> None:
        start = database.begin("start")
        start.until(type="phase", service="db", phase="starting")
        stranger(port, address)
        (database.root / "held").write_text("go")
        assert start.finish() == 0, (start.seen, start.errors(), database.log("db"))

        assert database.status()["db"]["port"] == port + 1
        assert f":{port + 1}/" in database.environment()["DB_URL"]
