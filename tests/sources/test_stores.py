"""Specifies which addresses of databases a repository has as constants, and which something else may change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.fixed.store_texts import in_text
from devinit.sources.fixed.stores import _in_python, stores
from devinit.system.bounds import bounds_of

Named = Callable[..., list[tuple[str, int, str, int]]]


@pytest.fixture
def named(tmp_path: Path) -> Named:
    """Return the constants in files: kind, port, file and line."""

    def find(**files: str) -> list[tuple[str, int, str, int]]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = stores(bounds_of(tmp_path), tmp_path)
        return [(each.kind, each.port, each.evidence.file, each.evidence.line) for each in found]

    return find


URL = "postgresql://ada:x@localhost:5432/shop"
CONSTANTS = {
    "a URL in Python": ("db.py", f'\nURL = "{URL}"\n', ("postgres", 5432, 2)),
    "a URL with a driver": (
        "db.py",
        'U = "postgresql+asyncpg://a:b@127.0.0.1:5432/s"\n',
        ("postgres", 5432, 1),
    ),
    "a URL without a port": (
        "db.py",
        'engine = create_engine("postgresql://localhost/s")\n',
        ("postgres", 5432, 1),
    ),
    "a URL in a call in a function": (
        "db.py",
        f'def connect():\n    with psycopg.connect("{URL}") as c:\n        pass\n',
        ("postgres", 5432, 2),
    ),
    "a broker of celery": (
        "worker.py",
        'app = Celery("w", broker="redis://localhost:6379/0")\n',
        ("redis", 6379, 1),
    ),
    "host and port of Redis": (
        "cache.py",
        'r = redis.Redis(host="localhost", port=6379)\n',
        ("redis", 6379, 1),
    ),
    "DATABASES of Django": (
        "shop/settings.py",
        (
            'DATABASES = {\n "default": {\n  "ENGINE": "django.db.backends.postgresql",\n  "HOST": "localhost",\n'
            '  "PORT": "5444",\n }\n}\n'
        ),
        ("postgres", 5444, 5),
    ),
    "a pool of Node": (
        "src/db.ts",
        'const pool = new Pool({\n  host: "localhost",\n  port: 5432,\n});\n',
        ("postgres", 5432, 3),
    ),
    "a pool of Node without a port": (
        "src/pool.js",
        "const { Pool } = require('pg')\nnew Pool({\n  user: 'ada',\n  host: 'localhost',\n  database: 'shop' })\n",
        ("postgres", 5432, 4),
    ),
    "a connection of psycopg": (
        "db.py",
        'c = psycopg2.connect(host="localhost", dbname="shop", user="ada", password="x")\n',
        ("postgres", 5432, 1),
    ),
    "a text of libpq in Go": (
        "db/db.go",
        'dsn := "host=localhost user=ada password=x dbname=shop port=5433 sslmode=disable"\n',
        ("postgres", 5433, 1),
    ),
    "a URL in Go": ("main.go", f'package main\n\nvar u = "{URL}"\n', ("postgres", 5432, 3)),
    "constants in Go": (
        "main.go",
        'const (\n\thost     = "localhost"\n\tport     = 5432\n\tuser     = "ada"\n\tdbname   = "shop"\n)\n',
        ("postgres", 5432, 3),
    ),
    "a URL in Rust": ("src/main.rs", f'let url = "{URL}";\n', ("postgres", 5432, 1)),
    "Ecto": (
        "config/dev.exs",
        'config :shop, Shop.Repo,\n  username: "ada",\n  password: "x",\n  hostname: "localhost",\n  database: "shop"\n',
        ("postgres", 5432, 4),
    ),
    "a client of Node": (
        "src/db.js",
        'const c = createClient({ url: "redis://localhost:6379" })\n',
        ("redis", 6379, 1),
    ),
    "a file of configuration": ("config/config.json", f'{{\n "url": "{URL}"\n}}\n', ("postgres", 5432, 2)),
    "alembic.ini": (
        "alembic.ini",
        f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {URL}\n",
        ("postgres", 5432, 3),
    ),
}


class TestAConstant:
    @pytest.mark.parametrize(("file", "text", "found"), CONSTANTS.values(), ids=CONSTANTS)
    def test_is_found_with_its_line(
        self, named: Named, file: str, text: str, found: tuple[str, int, int]
    ) -> None:
        kind, port, line = found
        assert named(**{file: text}) == [(kind, port, file, line)]


CHANGEABLE = {
    "a default": ("db.py", f'URL = os.getenv("DATABASE_URL", "{URL}")\n'),
    "a default behind `or`": ("db.py", f'URL = os.environ.get("DATABASE_URL") or "{URL}"\n'),
    "a field of settings": ("config.py", f'class Settings(BaseSettings):\n    database_url: str = "{URL}"\n'),
    "a default of django-environ": ("settings.py", f'DATABASES = {{"default": env.db(default="{URL}")}}\n'),
    "a default of a parameter": ("db.py", f'def connect(url: str = "{URL}"):\n    pass\n'),
    "a name that is assigned twice": ("db.py", f'URL = "{URL}"\nif found:\n    URL = found\n'),
    "a name of a default": ("db.py", f'DEFAULT_URL = "{URL}"\n'),
    "a branch on the environment": ("db.py", f'if not os.getenv("URL"):\n    connect("{URL}")\n'),
    "a default of Node": ("src/db.ts", f'const url = process.env.DATABASE_URL ?? "{URL}";\n'),
    "a default of Node on the next line": ("src/db.ts", f'const url = given ||\n  "{URL}";\n'),
    "a default of Go": ("main.go", f'u := getEnv("DATABASE_URL", "{URL}")\n'),
    "a default of Go on the next lines": (
        "main.go",
        f'u := os.Getenv("DATABASE_URL")\nif u == "" {{\n\tu = "{URL}"\n}}\n',
    ),
    "a format of Go": ("main.go", 'fmt.Sprintf("host=localhost user=%s dbname=%s", u, d)\n'),
    "a comment in Go": ("main.go", f'// "host=localhost user=ada dbname=shop", {URL}\n'),
    "a default of Rust": ("src/main.rs", f'env::var("DATABASE_URL").unwrap_or("{URL}".into());\n'),
    "Ecto that asks": (
        "config/dev.exs",
        'config :shop, Shop.Repo,\n  hostname: "localhost",\n  password: System.get_env("PGPASSWORD")\n',
    ),
    "an object of Node with a variable": (
        "src/db.js",
        "require('pg'); new Pool({ host: 'localhost', user: 'ada', database: process.env.DB })\n",
    ),
    "an object of MySQL": (
        "src/db.js",
        "require('pg'); new X({ dialect: 'mysql', host: 'localhost', user: 'ada', database: 'shop' })\n",
    ),
    "a template": ("config/config.yaml", "url: ${DATABASE_URL:-" + URL + "}\n"),
    "a comment": ("src/db.ts", f'// const url = "{URL}";\n'),
    "a docstring": ("db.py", f'"""Connects to {URL} by default."""\n'),
    "another machine": ("db.py", 'URL = "postgresql://db.example.com:5432/shop"\n'),
    "another database": ("db.py", 'URL = "mysql://localhost:3306/shop"\n'),
    "a test": ("tests/conftest.py", f'URL = "{URL}"\n'),
    "a script": ("scripts/load.py", f'URL = "{URL}"\n'),
    "another file of configuration": ("my-config.json", f'{{"url": "{URL}"}}\n'),
    "an alembic.ini whose env.py finds another": (
        "alembic.ini",
        f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {URL}\n",
    ),
}


class TestWhatSomethingElseMayChange:
    @pytest.mark.parametrize(("file", "text"), CHANGEABLE.values(), ids=CHANGEABLE)
    def test_is_no_constant(self, named: Named, file: str, text: str) -> None:
        env = {"migrations/env.py": 'config.set_main_option("sqlalchemy.url", url)\n'}

        assert named(**{file: text}, **env) == []


class TestAHostileFile:
    @given(st.text(max_size=300))
    def test_never_raises(self, text: str) -> None:
        list(_in_python(text))
        list(in_text(text, suffix=".ts", is_script=True))
        list(in_text(text + "localhost:5432 postgres://", suffix="", is_script=False))
        list(in_text(text + '"host=localhost user=', suffix=".go", is_script=True))
        list(in_text("config :a, A.Repo,\n  " + text, suffix=".exs", is_script=True))

    def test_that_is_a_pipe_or_a_link_out_is_not_read(
        self, named: Named, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "pipe.py")
        outside = tmp_path_factory.mktemp("outside") / "db.py"
        outside.write_text(f'URL = "{URL}"\n')
        (tmp_path / "linked.py").symlink_to(outside)
        (tmp_path / ".git").mkdir()

        assert named() == []
