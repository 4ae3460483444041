"""Specifies what the files of a repository ask for, with the line that says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.system.bounds import bounds_of
from devinit.toolchains.asked import Form
from devinit.toolchains.fingerprint import ASKING
from devinit.toolchains.reading import READERS, asked_in

PACKAGE = """{
  "name": "shop",
  "packageManager": "pnpm@9.15.0+sha512.abc",
  "scripts": {"node": "x"},
  "engines": {
    "node": ">=20 <23",
    "pnpm": "^9"
  },
  "volta": {"node": "20.11.0", "yarn": "1.22.22"}
}"""
PYPROJECT = """[tool.ruff]
line-length = 100

[project]
name = "shop"
requires-python = ">=3.12,<3.14"  # as the server has it
"""
POETRY = """[tool.poetry]
name = "shop"

[tool.poetry.group.dev.dependencies]
python = "no"

[tool.poetry.dependencies]
python = "^3.11"
"""
MISE = """[env]
node = "x"
[tools]
node = "22"
python = ["3.12", "3.11"]
go = {version = "1.22"}
"npm:prettier" = "3"
"""


def stated(name: str, text: str) -> list[tuple[str, str, int]]:
    return [(each.tool, each.wanted, each.line) for each in READERS[name](text)]


class TestAFile:
    @pytest.mark.parametrize(
        ("name", "text", "asked"),
        [
            (".python-version", "# ours\n3.12.4\n3.11\n", [("python", "3.12.4", 2)]),
            (".python-version", "\n", []),
            (".nvmrc", "v22.3.0\r\n", [("node", "v22.3.0", 1)]),
            (".nvmrc", "lts/iron", [("node", "lts/iron", 1)]),
            (".node-version", "20\n", [("node", "20", 1)]),
            (".ruby-version", "3.3.0\n", [("ruby", "3.3.0", 1)]),
            ("go.mod", "module shop\n\ngo 1.23.1\n\ntoolchain go1.24\n", [("go", "1.23.1", 3)]),
            ("Gemfile", "source 'x'\nruby '3.2.2'\n", [("ruby", "3.2.2", 2)]),
            ("Gemfile", 'ruby("~> 3.2", ">= 3.2.1")', [("ruby", "~> 3.2, >= 3.2.1", 1)]),
            ("Gemfile", 'ruby file: ".ruby-version"', []),
            ("pyproject.toml", PYPROJECT, [("python", ">=3.12,<3.14", 6)]),
            ("pyproject.toml", POETRY, [("python", "^3.11", 8)]),
            ("pyproject.toml", "[tool.ruff]\n", []),
            ("pyproject.toml", "requires-python = [broken", []),
            ("package.json", PACKAGE, [
                ("pnpm", "9.15.0", 3), ("node", ">=20 <23", 6), ("pnpm", "^9", 7), ("node", "20.11.0", 9),
                ("yarn", "1.22.22", 9),
            ]),
            ("package.json", '{"engines": ["node >= 0.8"]}', []),
            ("package.json", '{"engines": {"node": 18}, "packageManager": 3}', []),
            ("package.json", '"engines"', []),
            (".tool-versions", "# x\nnodejs 20.11.0 18\npython 3.12\nterraform 1\n", [
                ("node", "20.11.0", 2), ("python", "3.12", 3),
            ]),
            ("mise.toml", MISE, [("node", "22", 2), ("python", "3.12", 5), ("go", "1.22", 6)]),
            (".mise.toml", "[tools]\nnode = 22\n", [("node", "22", 2)]),
            ("mise.toml", "tools = 3", []),
        ],
    )  # fmt: skip
    def test_asks_for_what_it_says(self, name: str, text: str, asked: list[tuple[str, str, int]]) -> None:
        assert stated(name, text) == asked

    @pytest.mark.parametrize("name", READERS)
    @given(text=st.text(max_size=200))
    def test_of_any_content_raises_nothing(self, name: str, text: str) -> None:
        list(READERS[name](text))

    def test_of_each_kind_counts_in_the_digest(self) -> None:
        """Else a change of it would not be noticed."""
        assert set(ASKING) == READERS.keys()


class TestFolders:
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Path:
        (tmp_path / ".git").mkdir()
        folder = tmp_path / "backend"
        folder.mkdir()
        return folder

    def test_count_from_the_nearest_on(self, backend: Path) -> None:
        (backend / ".python-version").write_text("3.12")
        (backend.parent / ".python-version").write_text("3.11")
        (backend.parent / ".nvmrc").write_text("20")

        asked = asked_in([backend, backend.parent], bounds_of(backend.parent))

        assert [(each.file, each.stated.wanted) for each in asked] == [
            (backend / ".python-version", "3.12"),
            (backend.parent / ".nvmrc", "20"),
        ]

    def test_lead_nowhere_by_a_link(self, backend: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        secret = tmp_path_factory.mktemp("elsewhere") / "secret"
        secret.write_text("3.99")
        (backend / ".python-version").symlink_to(secret)

        assert asked_in([backend], bounds_of(backend.parent)) == []

    def test_are_not_waited_for_at_a_named_pipe(self, backend: Path) -> None:
        os.mkfifo(backend / ".nvmrc")
        (backend / "package.json").mkdir()

        assert asked_in([backend], bounds_of(backend.parent)) == []

    def test_say_in_which_form_they_ask(self, backend: Path) -> None:
        (backend / "pyproject.toml").write_text(PYPROJECT)

        [asked] = asked_in([backend], bounds_of(backend.parent))

        assert asked.stated.form is Form.SPECIFIERS
        assert asked.allows((3, 11, 7)) is False
        assert asked.allows((3, 12)) is True
