"""Specifies that a database lets in who the code of the repository logs in as."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.service import Project

FLASK = "from flask import Flask\nimport psycopg2\napp = Flask(__name__)\n"
COMPOSE = (
    "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: ada\n"
    "      POSTGRES_PASSWORD: x\n      POSTGRES_DB: shop\n"
)
URL = 'URL = "postgresql://ada:x%40y@localhost:5444/shop"\n'


def project(root: Path, files: dict[str, str]) -> Project:
    """Return what a folder with these files shows."""
    for name, text in {"requirements.txt": "flask\npsycopg2\n", "app.py": FLASK, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(root)


def role(found: Project) -> tuple[str, str, str | None]:
    """Return user, database and password of the server."""
    settings = found.services["postgres"].settings
    assert isinstance(settings, PostgresSettings)
    return settings.user, settings.database, settings.password


class TestAConstant:
    def test_says_role_password_database_and_port_with_its_line(self, tmp_path: Path) -> None:
        found = project(tmp_path, {"db.py": URL})

        assert role(found) == ("ada", "shop", "x@y")
        port = found.services["postgres"].port
        assert port
        assert port.preferred == 5444
        lines = {(each.about, each.place) for each in found.evidence["postgres"]}
        assert {(about, "db.py, line 1") for about in ("user", "password", "database", "port")} <= lines

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (
                "settings.py",
                (
                    "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop',\n"
                    " 'USER': 'ada', 'PASSWORD': 'x', 'HOST': 'localhost', 'PORT': '5432'}}\n"
                ),
            ),
            ("db.py", 'psycopg2.connect(host="127.0.0.1", dbname="shop", user="ada", password="x")\n'),
            (
                "db.js",
                (
                    "const { Pool } = require('pg')\nnew Pool({ user: 'ada', host: 'localhost', database: 'shop',\n"
                    "  password: 'x', port: 5432 })\n"
                ),
            ),
            ("db.go", 'dsn := "host=localhost user=ada password=x dbname=shop"\n'),
            (
                "main.go",
                'const (\n\thost = "localhost"\n\tport = 5432\n\tuser = "ada"\n\tpassword = "x"\n\tdbname = "shop"\n)\n',
            ),
            (
                "config/dev.exs",
                (
                    'config :shop, Shop.Repo,\n  username: "ada",\n  password: "x",\n  hostname: "localhost",\n'
                    '  database: "shop"\n'
                ),
            ),
        ],
    )
    def test_is_understood_in_each_of_its_forms(self, tmp_path: Path, name: str, text: str) -> None:
        found = project(tmp_path, {name: text})

        assert role(found) == ("ada", "shop", "x")

    def test_of_the_database_alone_leaves_the_role_as_it_is(self, tmp_path: Path) -> None:
        found = project(tmp_path, {"db.py": 'URL = "postgresql://localhost/shop"\n'})

        user, database, password = role(found)
        assert (database, password) == ("shop", None)
        assert user != "shop"

    def test_that_a_compose_file_agrees_with_is_silent(self, tmp_path: Path) -> None:
        found = project(
            tmp_path, {"compose.yaml": COMPOSE, "db.py": 'U = "postgresql://ada:x@localhost/shop"\n'}
        )

        assert role(found) == ("ada", "shop", "x")
        assert not any("logs in" in note for note in found.notes)

    def test_that_a_compose_file_contradicts_is_noted(self, tmp_path: Path) -> None:
        found = project(
            tmp_path, {"compose.yaml": COMPOSE, "db.py": 'U = "postgresql://bob:y@localhost/other"\n'}
        )

        assert role(found) == ("ada", "shop", "x")
        assert (
            "db.py, line 1 logs in as bob to other, and postgres has the role, the password and the database of "
            "compose.yaml, line 5; the same in both lets it in"
        ) in found.notes

    def test_of_a_name_that_no_role_can_have_changes_nothing(self, tmp_path: Path) -> None:
        found = project(tmp_path, {"db.py": 'U = "postgresql://public:x@localhost/shop"\n'})

        assert role(found)[0] != "public"
