"""Specifies how files are read that Windows wrote, and what is said of those that nothing can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.config.shown import root_shown_by
from devinit.errors import NoProject
from devinit.sources.applications.services import unreadable
from devinit.sources.applications.tree import tree_of
from devinit.system.bounds import bounds_of

VITE = '{"scripts": {"dev": "vite"}}'


def wrote(root: Path, name: str, content: bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


class TestAFileThatWindowsWrote:
    def test_is_a_package_with_a_byte_order_mark(self, root: Path) -> None:
        wrote(root, "frontend/package.json", VITE.encode("utf-8-sig"))

        project = detect(root)

        assert list(project.services) == ["frontend"]
        assert list(unreadable(tree_of(bounds_of(root)))) == []

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
    def test_is_a_requirements_txt_in_what_pip_reads(self, root: Path, encoding: str) -> None:
        wrote(root, "requirements.txt", "fastapi\r\nasyncpg\r\nredis\r\n".encode(encoding))

        assert list(detect(root).services) == ["postgres", "redis"]
        assert list(unreadable(tree_of(bounds_of(root)))) == []

    def test_is_a_pyproject_with_a_byte_order_mark(self, root: Path) -> None:
        wrote(root, "pyproject.toml", '[project]\ndependencies = ["asyncpg"]\n'.encode("utf-8-sig"))

        assert list(detect(root).services) == ["postgres"]


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            (
                "package.json",
                b'{\n  "scripts": {\n    "dev": "vite",\n  }\n}\n',
                "line 3, column 18: a comma before the closing }",
            ),
            ("package.json", b"{\n  // no\n}", "line 2, column 3: Expecting property name"),
            ("package.json", b'{"scripts":\n', "line 2, column 1: Expecting value"),
            ("package.json", VITE.encode("utf-16"), "UTF-16, as Windows PowerShell writes it"),
            ("package.json", VITE.encode("utf-16-le"), "UTF-16, as Windows PowerShell writes it"),
            ("pyproject.toml", "[project]\n".encode("utf-16-be"), "UTF-16, as Windows PowerShell writes it"),
            (
                "pyproject.toml",
                b"[" + b"a." * 50_000 + b"a]",
                "line 1, column 2: A key has more than 32 parts",
            ),
            ("package.json", b'{"a":\n "caf\xe9"}', "line 2, column 6: not UTF-8"),
            ("pyproject.toml", b'[project]\nname = "shop\n', "line 2, column 13: "),
            ("Pipfile", b"[packages", "at its end: "),
            ("requirements.txt", "asyncpg\n".encode("utf-16-le"), "UTF-16, as Windows PowerShell writes it"),
            ("package.json", b" " * 500_001, "it has more than 500,000 bytes"),
        ],
    )
    def test_is_named_with_the_place_instead_of_called_missing(
        self, root: Path, name: str, content: bytes, problem: str
    ) -> None:
        wrote(root, f"frontend/{name}", content)

        [note] = detect(root).notes if name == "package.json" else unreadable(tree_of(bounds_of(root)))

        assert note.startswith(f"frontend/{name} cannot be read: {problem}")

    def test_is_named_where_there_is_no_project_for_it(self, root: Path) -> None:
        wrote(root, "requirements.txt", "redis\n".encode("utf-16-le"))

        with pytest.raises(NoProject) as caught:
            root_shown_by(str(root))

        assert "requirements.txt cannot be read: UTF-16" in (caught.value.hint or "")
