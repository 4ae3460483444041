"""Repositories as txtar archives, one file each: a description, then each file after a line `-- NAME --`.

The format is that of Go's tests (golang.org/x/tools/txtar). `expected.toml` states the expected findings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from devinit.config.as_tables import service_keys
from devinit.model.service import Project

FOLDER = Path(__file__).parent
EXPECTED = "expected.toml"
_MARKER = re.compile(r"^-- (.+) --\n", re.MULTILINE)


class Archive(NamedTuple):
    """The contents of an archive."""

    description: str
    files: Mapping[str, str]


def archives() -> list[Path]:
    """Return all archives."""
    return sorted(FOLDER.glob("*.txtar"))


def read_archive(path: Path) -> Archive:
    """Return the files of an archive."""
    description, *parts = _MARKER.split(path.read_text())
    return Archive(description.strip(), dict(zip(parts[::2], parts[1::2], strict=True)))


def lay_out(archive: Archive, root: Path) -> None:
    """Write the files of an archive to a folder; scripts are executable."""
    for name, text in archive.files.items():
        if name != EXPECTED:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)


def keep_expected(path: Path, text: str) -> None:
    """Write the expected findings into an archive, as its last file."""
    head = path.read_text().partition(f"-- {EXPECTED} --\n")[0]
    path.write_text(f"{head.rstrip()}\n-- {EXPECTED} --\n{text}")


def described(project: Project) -> str:
    """Return the findings as TOML: the keys of each service, the lines of its evidence, and the notes."""
    tables = {}
    for name, service in project.services.items():
        lines = [f"{each.file}:{each.line} {each.about}" for each in project.evidence.get(name, ())]
        tables[name] = dict(service_keys(service, project)) | {"evidence": sorted(set(lines))}
    # The available installers of missing tools depend on the machine.
    notes = sorted(each for each in project.notes if "` makes " not in each)
    return _toml({"notes": notes}) + "".join(
        f"\n[services.{name}]\n{_toml(keys)}" for name, keys in tables.items()
    )


def _toml(keys: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        if sum(len(str(each)) for each in value) > 70:
            return "[\n" + "".join(f"    {_value(each)},\n" for each in value) + "]"
        return f"[{', '.join(map(_value, value))}]"
    return msgspec.json.encode(value).decode()
