"""Specifies that each service that is detected is shown with the line that it was read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect

Write = Callable[..., Path]

API = '"""The API.\n\napp = FastAPI()\n"""\nfrom fastapi import FastAPI\n\napp = FastAPI()\n'


def seen(root: Path, service: str) -> list[tuple[str, str, str]]:
    """Return what a service was read from: key, place, words."""
    return [(each.about, each.place, each.says) for each in detect(root).evidence[service]]


class TestAnApplication:
    def test_names_where_it_is_made_whatever_its_documentation_shows(self, root: Path, write: Write) -> None:
        write("backend/app/main.py", API)

        assert seen(root, "backend") == [("command", "backend/app/main.py, line 7", "app = FastAPI()")]

    def test_names_its_health_route_and_its_migrations(self, root: Path, write: Write) -> None:
        write("backend/main.py", f'{API}@app.get("/health")\n')
        write("backend/alembic.ini", "[alembic]\n")
        write("backend/alembic/versions/1_first.py")

        assert seen(root, "backend")[1:] == [
            ("ready", "backend/main.py, line 8", '@app.get("/health")'),
            ("before_start", "backend/alembic.ini, line 1", "[alembic]"),
        ]

    def test_of_django_names_manage_py(self, root: Path, write: Write) -> None:
        write("backend/manage.py", 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "x"\n')

        assert seen(root, "backend")[0][1] == "backend/manage.py, line 2"

    def test_of_node_names_its_script(self, root: Path, write: Write) -> None:
        write("frontend/package.json", '{\n  "name": "dev",\n  "scripts": {\n    "dev": "vite"\n  }\n}\n')

        assert seen(root, "frontend") == [("command", "frontend/package.json, line 4", '"dev": "vite"')]


class TestADatabase:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_is_named_by_the_same_line_whatever_ends_the_lines(
        self, root: Path, write: Write, end: str
    ) -> None:
        write("backend/main.py", API)
        path = write(".env", "")
        path.write_bytes(
            f"# settings{end}{end}DATABASE_URL=postgresql://localhost/x{end}DEBUG=1{end}".encode()
        )

        assert seen(root, "postgres") == [
            ("provider", ".env, line 3", "DATABASE_URL=postgresql://localhost/x")
        ]

    @pytest.mark.parametrize(
        ("file", "text", "line"),
        [
            ("backend/requirements.txt", "fastapi\n# the database\nasyncpg==0.29\n", 3),
            ("pyproject.toml", '[project]\ndependencies = [\n  "fastapi",\n  "psycopg[binary]",\n]\n', 4),
            ("pyproject.toml", '[tool.poetry.dependencies]\nfastapi = "*"\nasyncpg = "^0.29"\n', 3),
            ("backend/package.json", '{\n  "dependencies": {\n    "pg": "^8"\n  }\n}\n', 3),
            (".env.example", "# settings\nDEBUG=1\nDATABASE_URL=postgresql://localhost/x\n", 3),
            ("backend/app/settings.py", "\nurl = 'postgres://localhost/x'\n", 2),
        ],
    )
    def test_names_what_needs_it(self, root: Path, write: Write, file: str, text: str, line: int) -> None:
        write(file, text)

        [(about, place, _)] = seen(root, "postgres")

        assert (about, place) == ("provider", f"{file}, line {line}")
