"""Specifies that devinit finds in an export what it was made of, where the configuration is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "example"


def devinit(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "devinit", *words],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("form", "file"),
    [
        ("procfile", "Procfile.dev"),
        ("pm2", "ecosystem.config.cjs"),
        ("process-compose", "process-compose.yaml"),
        ("compose", "compose.yaml"),
    ],
)
def test_the_same_services_are_found(form: str, file: str, tmp_path: Path) -> None:
    root = tmp_path / "guestbook"
    shutil.copytree(EXAMPLE, root)
    devinit(root, "export", form, "-o", file)
    (root / "devinit.toml").unlink()

    found: dict[str, Any] = json.loads(devinit(root, "init", "--explain", "--json"))["services"]

    assert {*found} == {"postgres", "redis", "backend", "frontend"}
    evidence = {each["file"] for lines in found.values() for each in lines["evidence"]}
    assert file in evidence
