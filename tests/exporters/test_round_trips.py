"""Specifies that devinit finds in an export what it was made of, where the configuration is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.exporters.find import exporter_for
from devinit.exporters.marking import marked
from devinit.model.resolved import Reader
from devinit.model.service import Condition, Project
from devinit.resolving.at_rest import at_rest
from devinit.resolving.resolve import NOTHING_RUNS, resolve
from tests.projects.trees import archives, lay_out, read_archive

FORMS = {
    "procfile": "Procfile.dev",
    "pm2": "ecosystem.config.cjs",
    "process-compose": "process-compose.yaml",
    "compose": "compose.yaml",
}
"""Each form, and the file that the source of the same name reads."""
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


@pytest.mark.parametrize(("form", "file"), FORMS.items())
def test_the_same_services_are_found(form: str, file: str, tmp_path: Path) -> None:
    root = tmp_path / "guestbook"
    shutil.copytree(EXAMPLE, root)
    devinit(root, "export", form, "-o", file)
    (root / "devinit.toml").unlink()

    found: dict[str, Any] = json.loads(devinit(root, "init", "--explain", "--json"))["services"]

    assert {*found} == {"postgres", "redis", "backend", "frontend"}
    evidence = {each["file"] for lines in found.values() for each in lines["evidence"]}
    assert file in evidence


@pytest.mark.parametrize(("form", "file"), FORMS.items())
@pytest.mark.parametrize("path", archives(), ids=lambda path: path.stem)
def test_every_kind_of_repository_is_found_again(path: Path, form: str, file: str, tmp_path: Path) -> None:
    root = tmp_path / path.stem
    lay_out(read_archive(path), root)
    project = detect(root)
    exporter = exporter_for(form)
    if not project.services:
        pytest.skip("nothing runs in it")
    (root / "devinit.toml").write_text(initial_toml(project))
    is_for_containers = exporter.reader is Reader.CONTAINER
    resolved = resolve(at_rest(root, as_written=is_for_containers), exporter.reader, NOTHING_RUNS)
    (export,) = exporter.render(resolved).files
    (root / file).write_text(marked(export, form, resolved.source))
    (root / "devinit.toml").unlink()

    found = detect(root)

    kept = {
        name for name, each in project.services.items() if form != "procfile" or not is_job(name, project)
    }
    assert kept <= {*found.services} <= {*project.services}, found.notes


def is_job(name: str, project: Project) -> bool:
    """Return whether others wait for the end of a service: a Procfile has no place for it."""
    return any(each.conditions.get(name) is Condition.COMPLETED for each in project.services.values())
