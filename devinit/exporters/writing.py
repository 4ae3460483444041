"""Write an export: only files that differ, and never over a person's edits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from devinit.errors import StateFileError, UsageError
from devinit.exporters.exporter import File
from devinit.exporters.marking import Standing, marked, standing
from devinit.system.files import LARGEST_SETTINGS, owner_of, read_text, write_atomically
from devinit.system.former import keep_former, rights_of


class Target(Struct, frozen=True, kw_only=True):
    """One file of an export, and the file that is in its place now."""

    path: Path
    text: str
    standing: Standing
    inside: Path | None
    """The folder that no link may lead out of: the project's, for a file inside it."""


def target_of(path: Path, file: File, form: str, source: str, root: Path) -> Target:
    """Return the file to write and the existing one. Raise StateFileError when the existing one cannot be read."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - a link is not followed before it is looked at
    inside = root if path.is_relative_to(root) else None
    _refuse_link_out(path, inside)
    text = marked(file, form, source)
    there = read_text(path, inside=inside, most=LARGEST_SETTINGS)
    return Target(path=path, text=text, standing=standing(there, text), inside=inside)


def refuse_edited(targets: Sequence[Target]) -> None:
    """Raise UsageError when one of these files is not an unedited export."""
    for each in targets:
        if each.standing in (Standing.FOREIGN, Standing.EDITED):
            what = (
                "was not written by `devinit export`"
                if each.standing is Standing.FOREIGN
                else "was edited since it was exported"
            )
            raise UsageError(
                f"{each.path} {what}: it is left as it is",
                hint="name another one with -o, or replace it with --force, which keeps it as "
                f"{each.path.name}.old",
            )


def write(target: Target) -> Path | None:
    """Write a file; return the path of the copy of a person's former text, None when there is none."""
    kept = None
    if target.standing in (Standing.FOREIGN, Standing.EDITED):
        former = read_text(target.path, inside=target.inside, most=LARGEST_SETTINGS) or ""
        kept = Path(keep_former(target.path, former.encode()))
    try:
        _make_folder(target.path.parent)
    except OSError as error:
        raise StateFileError(f"{target.path.parent} cannot be made: {error.strerror}") from error
    write_atomically(
        target.path, target.text, mode=rights_of(target.path), inside=target.inside, keeps_owner=True
    )
    return kept


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it. What root makes belongs to the owner of the folder around it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    owner = owner_of(folder)
    folder.mkdir(exist_ok=True)
    if owner is not None:
        # By a descriptor: that owner may put something else in its place meanwhile.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(descriptor, *owner)
        finally:
            os.close(descriptor)


def _refuse_link_out(path: Path, inside: Path | None) -> None:
    """Raise StateFileError if a parent folder is a link out of the project: a repository can contain one."""
    if inside is not None and not path.parent.resolve().is_relative_to(inside.resolve()):
        raise StateFileError(
            f"{path.parent} leads out of the project {inside}",
            hint="name the file where it really lies with -o",
        )
