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
        ("name", "server"),
        [
            ("redict-server", "Redict"),
            ("redis6-server", "Redis"),
            ("redis7.2-server", "Redis"),
            ("redis-server-7.2", "Redis"),
            ("redis-server-7.4.1-linux-arm64", "Redis"),
            ("redis-server-3f2a9c1", "Redis"),
            ("redis-server.bin", "Redis"),
            ("GarnetServer", "Garnet"),
            ("valkey-server-8", "Valkey"),
            ("valkey-server-8.1-rc1", "Valkey"),
            ("keydb-pro-server", "KeyDB"),
            ("dragonfly-x86_64", "Dragonfly"),
            ("dragonfly-aarch64", "Dragonfly"),
            ("mongod-x64-debian-11-6.0.14", "MongoDB"),
            ("mongod-arm64-darwin-7.0.3", "MongoDB"),
            ("mongod-x64-ubuntu2204-8.0.4", "MongoDB"),
            ("mongod-x64-rhel80-7.0.14", "MongoDB"),
            ("mongod-x64-amazon2023-7.0.14", "MongoDB"),
            ("mysqld-debug", "MySQL"),
            ("mysqld-8.0", "MySQL"),
            ("mysqld5", "MySQL"),
            ("mysqld.real", "MySQL"),
            ("mariadbd-10.11.6-linux-x86_64", "MariaDB"),
            ("mariadbd-debug", "MariaDB"),
            ("postgres-17", "PostgreSQL"),
            ("postgres17", "PostgreSQL"),
            ("postgres_17.2", "PostgreSQL"),
            ("edb-postgres", "PostgreSQL"),
            (".postgres-wrapped", "PostgreSQL"),
            ("..valkey-server-wrapped-wrapped", "Valkey"),
        ],
    )
    def test_is_known_by_the_names_of_packages_forks_and_releases(self, name: str, server: str) -> None:
        assert saving_server(program("main", name)) == server

    @pytest.mark.parametrize(
        "name",
        [
            "dragonfly-x86_6",
            "mongod-x64-debi",
            "redis-server-7.",
            "redis-server-ar",
            ".redis-server-w",
            "mariadbd-10.11.",
        ],
    )
    def test_is_known_where_the_kernel_cuts_its_name(self, name: str) -> None:
        assert last_resort(program(name)) is None

    @pytest.mark.parametrize(
        "name",
        [
            "dragonfly-cli",
            "dragonfly-operator",
            "dragonfly_exporter",
            "mariadb",
            "mariadb-dump",
            "mariadbd-multi",
            "mariadbd-safe",
            "mongo",
            "mongo-express",
            "mongodb-compass",
            "mongodb_exporter",
            "mongodump",
            "mongosh",
            "mysql",
            "mysqladmin",
            "mysqld_exporter",
            "mysqld_multi",
            "mysqld_safe",
            "mysqldump",
            "pg_dump",
            "pgadmin4",
            "pgbouncer",
            "postgres-backup",
            "postgres-mcp",
            "postgres-operato",
            "postgres_export",
            "postgres_exporter",
            "postgresql-language-server",
            "postgrest",
            "redis-benchmark",
            "redis-cli",
            "redis-cli-7.2",
            "redis-commander",
            "redis-mcp-server",
            "redis-sentinel-exporter",
            "redis-server-exporter",
            "redis-server-ex",
            "redis_exporter",
            "valkey-cli",
            "valkey-mcp-server",
        ],
    )
    def test_is_none_of_the_programs_around_one(self, name: str) -> None:
        assert saving_server(program(name[:15], name)) is None

    def test_is_known_by_its_program_file_as_well(self) -> None:
        assert saving_server(program("io-thread", "redis-server")) == "Redis"

    @pytest.mark.parametrize("name", ["postgres", "postmaster", ".postgres-wrapp"])
    def test_that_is_postgresql_is_asked_by_int_and_leaves_on_quit(self, name: str) -> None:
        assert request_to_end(program(name)) is signal.SIGINT
        assert last_resort(program(name)) is signal.SIGQUIT


def test_any_other_program_is_killed_in_the_end() -> None:
    assert request_to_end(program("vite")) is signal.SIGTERM
    assert last_resort(program("vite")) is signal.SIGKILL
