"""Specifies which migrations of Go, Rust and Elixir are named because nothing runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect

GO = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":8080", nil) }\n'
RUST = 'fn main() { let l = TcpListener::bind("127.0.0.1:3000"); axum::serve(l, app); }\n'
CARGO = '[package]\nname = "shop"\n[dependencies]\naxum = "0.8"\nsqlx = { version = "0.8", features = ["postgres"] }\n'
MIX = 'defmodule Shop.MixProject do\n  defp deps, do: [{:phoenix, "~> 1.7"}]\nend\n'
GO_PROGRAM = {"go.mod": "module shop\n\ngo 1.24\n", "main.go": GO}
RUST_PROGRAM = {"Cargo.toml": CARGO, "src/main.rs": RUST}
UP = "CREATE TABLE shop (id int);\n"
DOES = "in `before_start` of the service in devinit.toml does"


def notes(root: Path, files: dict[str, str]) -> list[str]:
    """Return what is said about the migrations in a folder with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [note for note in detect(root).notes if "migrations;" in note]


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (
            {**GO_PROGRAM, "db/migrations/1_shop.up.sql": UP},
            'db/migrations/: nothing runs these migrations; `migrate -path db/migrations -database "$DATABASE_URL" up` ',
        ),
        (
            {**GO_PROGRAM, "sql/schema/1_shop.sql": f"-- +goose Up\n{UP}"},
            'sql/schema/: nothing runs these migrations; `goose -dir sql/schema postgres "$DATABASE_URL" up` ',
        ),
        (
            {**RUST_PROGRAM, "migrations/1_shop.sql": UP},
            "migrations/: nothing runs these migrations; `sqlx migrate run` ",
        ),
        (
            {"mix.exs": MIX, "priv/repo/migrations/1_shop.exs": "defmodule M do\nend\n"},
            "priv/repo/migrations/: nothing runs these migrations; `mix ecto.migrate` ",
        ),
    ],
    ids=["golang-migrate", "goose", "sqlx", "ecto"],
)
def test_revisions_are_named_with_the_command_of_their_tool(
    tmp_path: Path, files: dict[str, str], note: str
) -> None:
    assert notes(tmp_path, files) == [note + DOES]


@pytest.mark.parametrize(
    "files",
    [
        {
            **GO_PROGRAM,
            "migrations/1.up.sql": UP,
            "db.go": 'package main\nvar m, _ = migrate.New("a", "b")\n',
        },
        {**RUST_PROGRAM, "migrations/1.sql": UP, "src/db.rs": 'sqlx::migrate!("./migrations").run(&pool)\n'},
        {**GO_PROGRAM, "migrations/readme.md": "none\n"},
        {**GO_PROGRAM},
    ],
)
def test_what_the_program_applies_itself_is_not(tmp_path: Path, files: dict[str, str]) -> None:
    assert notes(tmp_path, files) == []


def test_those_of_a_workspace_lie_above_the_program(tmp_path: Path) -> None:
    files = {"Cargo.toml": '[workspace]\nmembers = ["api"]\n', "migrations/1.up.sql": UP}
    files |= {f"api/{name}": text for name, text in RUST_PROGRAM.items()}

    assert notes(tmp_path, files) == [
        f"migrations/: nothing runs these migrations; `sqlx migrate run` {DOES}"
    ]


SCHEMA = {
    "requirements.txt": "flask\npsycopg2\n",
    "app.py": "from flask import Flask\nimport psycopg2\napp = Flask(__name__)\n",
    "database/schema.sql": UP,
}
LOADS = "database/schema.sql: nothing loads this schema; `devinit psql -f database/schema.sql` does, once it is up"


def all_notes(root: Path, files: dict[str, str]) -> tuple[str, ...]:
    """Return all that is said about a folder with these files."""
    notes(root, files)
    return detect(root).notes


def test_a_schema_that_nothing_loads_is_named(tmp_path: Path) -> None:
    assert LOADS in all_notes(tmp_path, SCHEMA)


@pytest.mark.parametrize(
    "files",
    [
        {"seed.py": 'cursor.execute(open("database/schema.sql").read())\n'},
        {
            "compose.yaml": "services:\n  db:\n    image: postgres:17\n    volumes: [./database/schema.sql:/x.sql]\n"
        },
        {"requirements.txt": "flask\n", "app.py": "from flask import Flask\napp = Flask(__name__)\n"},
    ],
)
def test_a_schema_that_something_loads_or_of_no_database_of_ours_is_not(
    tmp_path: Path, files: dict[str, str]
) -> None:
    assert not any("nothing loads" in note for note in all_notes(tmp_path, {**SCHEMA, **files}))
