from __future__ import annotations

import os
import signal

import pytest
from msgspec.structs import replace

from devinit.model.process import ProcessFacts
from devinit.model.saving import last_resort, request_to_end, saving_server
from devinit.system.processes import facts_of

SAVING = ["redis-server", "valkey-server", "keydb-server", "dragonfly", "mysqld", "mariadbd", "mongod"]


def program(name: str, executable: str = "") -> ProcessFacts:
    facts = facts_of(os.getpid())
    assert facts is not None
    return replace(facts, name=name, executable=executable)


class TestADatabaseServerThatSavesWhenItEnds:
    @pytest.mark.parametrize("name", SAVING)
    def test_is_asked_by_term_and_only_waited_for(self, name: str) -> None:
        assert request_to_end(program(name)) is signal.SIGTERM
        assert last_resort(program(name)) is None

    @pytest.mark.parametrize(
        "name",
        [
            "redict-server",
            "redis6-server",
            "redis-server-7.2",
            "GarnetServer",
            "valkey-server-8",
            ".redis-server-w",
        ],
    )
    def test_is_known_by_the_names_of_packages_and_forks(self, name: str) -> None:
        assert last_resort(program(name)) is None

    @pytest.mark.parametrize("name", ["redis-cli", "redis-commander", "postgrest", "redis_exporter"])
    def test_is_no_client_of_one(self, name: str) -> None:
        assert saving_server(program(name)) is None

    def test_is_known_by_its_program_file_as_well(self) -> None:
        assert saving_server(program("io-thread", "redis-server")) == "Redis"

    @pytest.mark.parametrize("name", ["postgres", "postmaster", ".postgres-wrapp"])
    def test_that_is_postgresql_is_asked_by_int_and_leaves_on_quit(self, name: str) -> None:
        assert request_to_end(program(name)) is signal.SIGINT
        assert last_resort(program(name)) is signal.SIGQUIT


def test_any_other_program_is_killed_in_the_end() -> None:
    assert request_to_end(program("vite")) is signal.SIGTERM
    assert last_resort(program("vite")) is signal.SIGKILL
