"""Which git checkout a folder belongs to, read from the files that git keeps there.

A git process would take as long as everything else that is found out about a taken port; and the
fast commands may ask, so this loads little more than `os`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_SHORT_COMMIT = 10
_BRANCHES = "ref: refs/heads/"
_REFTABLE = ".invalid"
"""What HEAD names where the references are stored in another format, which is not read here."""
_ENOUGH = 4096


class Worktree(NamedTuple):
    """A folder that git has checked out: the main one of a repository, or one that is linked to it."""

    top: str
    """Its top folder, without symbolic links."""
    branch: str | None
    """The branch, or the beginning of the commit when none is checked out; None when it cannot be told."""
    linked: bool
    """Made by `git worktree add`. A submodule is not: it is the main checkout of its own repository."""
    main_top: str | None
    """The top folder of the main checkout, its own included; None when the repository has none (a bare one)."""


def worktree_of(path: str | os.PathLike[str]) -> Worktree | None:
    """Return the checkout that a file or folder is in, or None when it is in none."""
    folder = os.path.realpath(path)
    while True:
        found = _checkout(folder)
        if found is not None:
            return found
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def lists(main_top: str, top: str) -> bool:
    """Whether a main checkout has a folder among its linked worktrees, as `git worktree list` shows them."""
    records = os.path.join(main_top, ".git", "worktrees")
    try:
        names = os.listdir(records)
    except OSError:
        return False
    marker = os.path.realpath(os.path.join(top, ".git"))
    for name in names:
        record = os.path.join(records, name)
        # An absolute path, or with `worktree.useRelativePaths` one from here.
        stated = _first_line(os.path.join(record, "gitdir"))
        if stated and os.path.realpath(os.path.join(record, stated)) == marker:
            return True
    return False


def _checkout(top: str) -> Worktree | None:
    """Return the checkout whose top this folder is."""
    marker = os.path.join(top, ".git")
    pointer = _first_line(marker)
    if pointer is None:
        directory = marker
    elif pointer.startswith("gitdir:"):
        directory = os.path.join(top, pointer.removeprefix("gitdir:").strip())
    else:
        return None
    head = _first_line(os.path.join(directory, "HEAD"))
    if head is None:  # git passes over such a folder too
        return None
    common = _first_line(os.path.join(directory, "commondir"))
    if common is None:
        return Worktree(top, _branch(head), linked=False, main_top=top)
    return Worktree(top, _branch(head), linked=True, main_top=_main_top(os.path.join(directory, common)))


def _main_top(common: str) -> str | None:
    common = os.path.realpath(common)
    return os.path.dirname(common) if os.path.basename(common) == ".git" else None


def _branch(head: str) -> str | None:
    if not head.startswith("ref:"):
        return head[:_SHORT_COMMIT] or None
    name = head.removeprefix(_BRANCHES)
    return None if name in (head, _REFTABLE) else name


def _first_line(path: str) -> str | None:
    """Return what a small file says; None when it is missing, a folder, not ours to read, or full of zeros.

    A power cut can leave NUL bytes in the place of a text, and no path has one.
    """
    try:
        # O_NONBLOCK: a named pipe that nothing writes to is read as an empty file.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            text = os.read(descriptor, _ENOUGH)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    line = os.fsdecode(text).partition("\n")[0].rstrip()
    return None if "\0" in line else line
