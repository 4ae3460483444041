"""The input files of `setup`: it runs again when one of them changes.

A service in `apps/a` of a workspace has its lock file at the workspace's root. So the folders above it count, up
to the top of the git repository.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from devinit.model.service import Service
from devinit.supervisor.files.patterns import files_of
from devinit.system.repository import is_repository, search_of
from devinit.toolchains.languages import LOCK_FILES, MANIFESTS

MOST_FILES = 10_000
"""Maximum number of files for `setup_inputs`: each is read at every start, and `**/*` matches all of
node_modules.
"""


def inputs_of(service: Service, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that the set-up of a service depends on, each with its relative name.

    Lock files also count in the folders above, because a workspace has one for all its members; the manifests
    there concern other packages. The names are relative to the service's folder, so a checkout that is moved keeps
    its set-up.
    """
    for name in (*LOCK_FILES, *MANIFESTS):
        yield from _if_file(service.directory / name, name)
    for count, folder in enumerate(folders_above(service.directory, root), start=1):
        for name in LOCK_FILES:
            yield from _if_file(folder / name, f"{'../' * count}{name}")
    yield from _named(service, root)


def _named(service: Service, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that match `setup_inputs`, at most `MOST_FILES`."""
    found = chain.from_iterable(
        files_of(pattern, service.directory, root) for pattern in service.setup_inputs
    )
    for path in sorted(islice(found, MOST_FILES)):
        yield os.path.relpath(path, service.directory), path


def folders_above(directory: Path, root: Path) -> list[Path]:
    """Return the folders above a service's, up to the top of its git repository or else to the project's."""
    inside, _ = search_of(directory)
    if is_repository(inside[-1]):
        return [Path(folder) for folder in inside[1:]]
    return [folder for folder in directory.parents if folder.is_relative_to(root)]


def _if_file(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield name, path
