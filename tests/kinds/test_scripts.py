"""Specifies `devinit.kinds.scripts`: which scripts of a command are read before it has run, and which never."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.kinds import scripts
from devinit.kinds.scripts import unreadable_scripts
from devinit.model.service import Service

WINDOWS = b"#!/bin/sh\r\ntrue\r\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shop" / "api").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    return tmp_path / "shop"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read."""
    found: list[Path] = []

    def read(path: Path, **_: object) -> bytes:
        found.append(path)
        return path.read_bytes()

    monkeypatch.setattr(scripts, "read_bytes", read)
    return found


def said(root: Path, command: str) -> list[str]:
    return list(unreadable_scripts(Service(name="api", directory=root / "api", command=command), root))


class TestAScriptOfACommand:
    @pytest.mark.parametrize("command", ["sh go.sh", "./go.sh", "sh ../go.sh && true", "../go.sh"])
    def test_is_named_when_its_lines_end_as_in_windows(self, root: Path, command: str) -> None:
        for folder in (root, root / "api"):
            (folder / "go.sh").write_bytes(WINDOWS)
            (folder / "go.sh").chmod(0o755)

        assert len(said(root, command)) == 1

    @pytest.mark.parametrize(
        "command",
        [
            "dotenv -e ../../other/.env -- node server.js",
            "uvicorn main:app --env-file ../../other/.env",
            "sh ../../other/go.sh",
            "../../other/go.sh",
            "sh link.sh",
        ],
    )
    def test_is_not_read_outside_of_the_repository(
        self, root: Path, command: str, opened: list[Path]
    ) -> None:
        for name in (".env", "go.sh"):
            (root.parent / "other" / name).write_bytes(WINDOWS)
            (root.parent / "other" / name).chmod(0o755)
        (root / "api" / "link.sh").symlink_to("../../other/go.sh")

        assert (said(root, command), opened) == ([], [])

    def test_is_none_when_nothing_can_run_it(self, root: Path, opened: list[Path]) -> None:
        """An argument with a slash in it is as a rule a file of settings, or of secrets."""
        (root / "api" / ".env").write_bytes(WINDOWS)

        assert (said(root, "dotenv -e ./.env -- node server.js"), opened) == ([], [])
