"""Specifies what is found in repositories of the shapes that people have, field by field, with its evidence.

DEVINIT_UPDATE_SNAPSHOTS=1 keeps what is found now: read it before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devinit.config.detected import detect
from tests.projects.trees import EXPECTED, archives, described, keep_expected, lay_out, read_archive

UPDATE = os.environ.get("DEVINIT_UPDATE_SNAPSHOTS")


@pytest.mark.parametrize("path", archives(), ids=lambda path: path.stem)
def test_a_repository_is_understood(tmp_path: Path, path: Path) -> None:
    archive = read_archive(path)
    root = tmp_path / path.stem
    lay_out(archive, root)

    found = described(detect(root))

    if UPDATE:
        keep_expected(path, found)
    else:
        assert found == archive.files.get(EXPECTED)
