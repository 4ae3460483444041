"""Specifies which databases code names as constants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.runtime.reading.constants import databases_in

DJANGO = """
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "HOST": "127.0.0.1",
        "PORT": 5450,
    }
}
"""


class TestADatabaseInTheCode:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("settings.py", DJANGO, [("postgresql://127.0.0.1:5450", 3)]),
            (
                "settings.py",
                DJANGO.replace('"127.0.0.1"', '""').replace("5450", '""'),
                [("postgresql://localhost:5432", 3)],
            ),
            ("settings.py", DJANGO.replace("postgresql", "sqlite3"), []),
            (
                "db.py",
                'engine = create_engine("postgresql+psycopg://a:b@localhost/c")',
                [("postgresql+psycopg://a:b@localhost/c", 1)],
            ),
            ("db.py", "def (", []),
            (
                "db.ts",
                "\nnew Pool({ connectionString: 'postgres://a:b@localhost:5432/c' })",
                [("postgres://a:b@localhost:5432/c", 2)],
            ),
            (
                "knexfile.js",
                "connection: { host: 'localhost', user: 'a' }",
                [("postgresql://localhost:5432", 1)],
            ),
            ("data-source.ts", 'host: "localhost",\n  port: 5433,', [("postgresql://localhost:5433", 1)]),
            ("server.js", "app.listen({ host: 'localhost', port: 3000 })", []),
        ],
    )
    def test_is_found_with_its_line(self, name: str, text: str, expected: list[tuple[str, int]]) -> None:
        assert list(databases_in(name, text)) == expected

    @given(
        name=st.sampled_from(["a.py", "knexfile.js"]),
        text=st.text(alphabet="postgre:/@'\"{}[]()host=,\n1 ", max_size=200),
    )
    def test_of_any_text_stops_nothing(self, name: str, text: str) -> None:
        assert isinstance(list(databases_in(name, text)), list)
