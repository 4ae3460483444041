"""The folders to which devinit limits its own search: the project's repository, without links that lead out of it.

A cloned repository may contain `backend -> ../../other-project` or `.env -> ../../other-project/.env`. Paths in
devinit.toml (`directory`, `env_file`) are the user's choice and may lead anywhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from devinit.model.names import OWN_FOLDER
from devinit.system.repository import is_repository, search_of
from devinit.system.worktrees import lists, worktree_of

ENV_FILE = ".env"
PRIVATE = (".git", OWN_FOLDER)
"""Folders of a checkout that contain no files of an application."""


class Bounds(Struct, frozen=True):
    """The folder of a project, and the folders that may contain its files."""

    root: Path
    tops: tuple[str, ...]
    """Without symbolic links; the first is the repository, or the project if there is no repository."""

    def target_beyond(self, path: str | os.PathLike[str]) -> str | None:
        """Return the target of a path if it lies outside; None if it lies inside or does not exist."""
        target = os.path.realpath(path)
        if any(is_in(target, top) for top in self.tops):
            return None
        return target if os.path.exists(target) else None

    def contains(self, path: str | os.PathLike[str]) -> bool:
        """Whether a path, or its target, lies inside at all, including the folders of git and devinit."""
        folder, name = os.path.split(path)
        places = (os.path.join(os.path.realpath(folder), name), os.path.realpath(path))
        tops = (*self.tops, os.path.realpath(self.root))
        return any(
            place == top or place.startswith(top.rstrip("/") + "/") for place in places for top in tops
        )

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a path leads to something inside, or to nothing."""
        return self.target_beyond(path) is None


def bounds_of(root: Path) -> Bounds:
    """Return the bounds of a project.

    They are its repository and, for a linked worktree, the main checkout: links to the `.env` of that one are
    common. A repository that contains the home directory is no bound; the project's own folder is used instead.
    """
    real = os.path.realpath(root)
    inside, _ = search_of(real)
    top = inside[-1]
    if not is_repository(top) or is_in(os.path.realpath(os.path.expanduser("~")), top):
        return Bounds(root, (real,))
    worktree = worktree_of(top)
    main = worktree.main_top if worktree is not None and worktree.linked else None
    # Any archive can contain a `.git` that claims to belong to another checkout, so the
    # other checkout must list it.
    return Bounds(root, (top, main) if main is not None and lists(main, top) else (top,))


def bounds_within(root: Path, directory: Path) -> Bounds:
    """Return the bounds of a service's files: those of its project and of the repository around its folder."""
    return Bounds(root, (*bounds_of(root).tops, *bounds_of(directory).tops))


def is_in(path: str, top: str) -> bool:
    """Whether a path is this folder, or lies in it but not in a folder of git or devinit."""
    if path != top and not path.startswith(top.rstrip("/") + "/"):
        return False
    return not any(part in PRIVATE for part in path[len(top) :].split("/"))


def not_read(path: Path, root: Path, target: str) -> str:
    """Return the note about a path that leads out of the project, with the key that makes devinit follow it."""
    name = path.relative_to(root) if path.is_relative_to(root) else path
    if path.name == ENV_FILE:
        remedy = f'`env_file = "{name}"` of a service in devinit.toml gives it to that service'
    elif os.path.isdir(target):
        remedy = f'a [services.NAME] with `directory = "{name}"` in devinit.toml uses it'
    else:
        remedy = "describe the service in devinit.toml, or replace the link by a file"
    return f"{name} is a link to {target}, outside of the project, and was not followed; {remedy}"
