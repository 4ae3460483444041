"""Specifies the copy of a file that a command replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.system.former import keep_former, rights_of


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o644])
def test_has_the_rights_of_the_file(tmp_path: Path, rights: int) -> None:
    path = tmp_path / ".env"
    path.write_text("TOKEN=x\n")
    path.chmod(rights)

    kept = Path(keep_former(path, b"TOKEN=x\n"))

    assert kept.stat().st_mode & 0o777 == rights
    assert rights_of(path) == rights


def test_a_file_that_is_not_there_has_the_usual_rights(tmp_path: Path) -> None:
    assert rights_of(tmp_path / "compose.yaml") == 0o644
