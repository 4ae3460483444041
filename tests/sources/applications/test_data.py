from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.kinds.postgres.kind import PostgresSettings

Write = Callable[..., Path]


class TestALongFile:
    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("name", ["backend/main.py", "backend/.env", "backend/alembic.ini"])
    def test_of_nothing_but_line_ends_costs_no_minutes(self, root: Path, write: Write, name: str) -> None:
        write("backend/requirements.txt", "fastapi\n")
        write("backend/prisma/schema.prisma", "\n" * 400_000)
        write(name, "\n" * 400_000 + "DATABASE_URL=postgresql://localhost/x\n")

        assert "postgres" in detect(root).services


class TestAServer:
    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("backend/requirements.txt", "fastapi\nasyncpg==0.29"),
            ("backend/requirements/base.txt", "psycopg2-binary>=2"),
            ("requirements-dev.txt", "Psycopg[binary,pool]"),
            (
                "backend/pyproject.toml",
                '[project]\ndependencies = ["sqlalchemy[asyncio,postgresql_asyncpg]"]',
            ),
            ("backend/pyproject.toml", '[project.optional-dependencies]\ndb = ["psycopg"]'),
            ("backend/pyproject.toml", '[tool.poetry.dependencies]\nasyncpg = "^0.29"'),
            ("backend/Pipfile", '[packages]\npsycopg2 = "*"'),
            ("backend/package.json", '{"dependencies": {"pg": "^8"}}'),
            ("frontend/prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}'),
            ("backend/.env", "DATABASE_URL=postgresql+asyncpg://me@localhost/x"),
            (".env.example", "POSTGRES_HOST=localhost"),
            ("backend/app/settings.py", 'database_url: str = "postgres://localhost/x"'),
        ],
    )
    def test_postgres_is_found_where_it_is_used(self, root: Path, write: Write, file: str, text: str) -> None:
        write(file, text)

        assert list(detect(root).services) == ["postgres"]

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("backend/requirements.txt", "redis>=5"),
            ("backend/requirements.txt", "celery[redis,msgpack]~=5.3"),
            ("pyproject.toml", '[project]\ndependencies = ["arq"]'),
            (
                "backend/pyproject.toml",
                '[tool.poetry.dependencies]\ncelery = {version = "5", extras = ["redis"]}',
            ),
            ("frontend/package.json", '{"dependencies": {"bullmq": "5"}}'),
            ("package.json", '{"dependencies": {"ioredis": "5"}}'),
            (".env", "export REDIS_URL=redis://localhost:6379"),
            ("backend/config.py", 'REDIS = "rediss://cache"'),
        ],
    )
    def test_redis_is_found_where_it_is_used(self, root: Path, write: Write, file: str, text: str) -> None:
        write(file, text)

        assert list(detect(root).services) == ["redis"]

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("backend/requirements.txt", "fastapi\nfakeredis\ncelery\n# redis\nsqlalchemy"),
            ("backend/.env", "DATABASE_URL=sqlite:///x.db\n# REDIS_URL=redis://x\nREDIS_HOST=\n"),
            (".env.runtime", "DATABASE_URL=postgresql://x\nREDIS_URL=redis://x"),
            ("backend/config.py", '# "postgresql://x"\nURL = "sqlite://"'),
            ("backend/.venv/lib/x.py", 'URL = "postgresql://x"'),
            ("backend/tests/test_x.py", 'URL = "redis://x"'),
            ("backend/pyproject.toml", '[project]\nname = "redis'),
            ("backend/package.json", '{"dependencies": ["pg"]}'),
            ("README.md", "postgresql://x redis://x"),
        ],
    )
    def test_is_not_found_where_it_is_only_mentioned(
        self, root: Path, write: Write, file: str, text: str
    ) -> None:
        write(file, text)

        assert detect(root).services == {}

    def test_has_the_ports_and_names_that_a_configured_one_has(self, root: Path, write: Write) -> None:
        write("backend/requirements.txt", "asyncpg\nredis")

        services = detect(root).services

        assert services["postgres"].port is not None
        assert services["redis"].port is not None
        assert (services["postgres"].port.preferred, services["redis"].port.preferred) == (5432, 6379)
        assert services["postgres"].settings == PostgresSettings(
            database="shop", user="shop", after_folder=("database", "user")
        )


class TestADriverOfACloud:
    NOTE = "package.json, line 3: @neondatabase/serverless reaches Neon, and no server on this machine: keep its URL in a .env"

    @pytest.mark.parametrize(
        ("source", "notes"),
        [("neon(process.env.DATABASE_URL)", [NOTE]), ("neonConfig.wsProxy = () => 'localhost:5433/v1'", [])],
    )
    def test_is_named_unless_it_has_a_proxy_here(
        self, root: Path, write: Write, source: str, notes: list[str]
    ) -> None:
        write(
            "package.json",
            '{"scripts": {"dev": "node index.js"},\n"dependencies": {"express": "5",\n"@neondatabase/serverless": "1"}}',
        )
        write("index.js", f"require('express')().listen(process.env.PORT)\n{source}\n")

        assert [each for each in detect(root).notes if "Neon" in each] == notes

    @pytest.mark.parametrize(
        ("source", "is_started"),
        [
            ("import { Redis } from '@upstash/redis'\nnew Redis({ url: process.env.REDIS_URL })", False),
            ("import Redis from 'ioredis'\nnew Redis(process.env.REDIS_URL)", True),
        ],
    )
    def test_of_redis_leaves_the_other_driver_to_the_code_that_imports_it(
        self, root: Path, write: Write, source: str, is_started: bool
    ) -> None:
        write(
            "package.json",
            '{"scripts": {"dev": "node index.js"}, "dependencies": {"express": "5", "@upstash/redis": "1", "ioredis": "5"}}',
        )
        write(".env", "REDIS_URL=https://eu1-shop.upstash.io\n")
        write("index.js", f"require('express')().listen(process.env.PORT)\n{source}\n")

        assert ("redis" in detect(root).services) is is_started


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize(
        "name",
        [
            "backend/requirements.txt",
            "backend/pyproject.toml",
            "backend/package.json",
            ".env",
            "backend/x.py",
        ],
    )
    def test_stops_nothing(self, root: Path, name: str) -> None:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\xff\xfe\x00[[[")

        assert detect(root).services == {}

    @pytest.mark.parametrize(
        "name", ["backend/requirements.txt", "backend/package.json", ".env", "backend/x.py"]
    )
    def test_stops_nothing_when_it_is_a_folder_or_a_loop(self, root: Path, name: str) -> None:
        path = root / name
        path.mkdir(parents=True)
        (path / "loop").symlink_to(path)

        assert detect(root).services == {}
