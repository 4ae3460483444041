"""Specifies which address a program is given whose Prisma keeps its data in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.model.service import Project

PACKAGE = json.dumps({"scripts": {"dev": "next dev"}, "dependencies": {"next": "15", "@prisma/client": "6"}})
SCHEMA = (
    '// datasource db {\n//   provider = "postgresql"\n// }\ndatasource db {\n  provider = "sqlite"\n'
    '  url      = env("DATABASE_URL")\n}\n'
)
POSTGRES = 'DATABASE_URL="postgresql://ada:x@localhost:5432/shop"\n'
COMPOSE = "services:\n  db:\n    image: postgres:17\n"


def found(root: Path, files: dict[str, str]) -> Project:
    """Return what a folder with these files shows."""
    for name, text in {"package.json": PACKAGE, "prisma/schema.prisma": SCHEMA, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(root)


class TestASchemaOfSqlite:
    def test_beside_a_template_that_names_a_server_gets_its_file(self, tmp_path: Path) -> None:
        project = found(tmp_path, {".env.example": POSTGRES, "compose.yaml": COMPOSE})

        assert project.services["frontend"].env["DATABASE_URL"] == "file:./dev.db"
        assert (
            "prisma/schema.prisma, line 5 is SQLite, and .env.example, line 1 names a server: DATABASE_URL is "
            "file:./dev.db; `provider` there decides"
        ) in project.notes

    @pytest.mark.parametrize(
        "files",
        [
            {".env.example": 'DATABASE_URL="file:./shop.db"\n'},
            {".env.example": POSTGRES, ".env": 'DATABASE_URL="file:./shop.db"\n'},
            {".env.example": POSTGRES, ".env": POSTGRES},
            {".env.example": POSTGRES, "prisma/schema.prisma": SCHEMA.replace("sqlite", "postgresql")},
            {},
        ],
    )
    def test_is_given_nothing_where_the_project_says_it_itself(
        self, tmp_path: Path, files: dict[str, str]
    ) -> None:
        assert "DATABASE_URL" not in found(tmp_path, files).services["frontend"].env
