"""The git checkout to which a folder belongs, read from git's own files.

A git process would take as long as the whole rest of the lookup about a taken port. The fast commands use this
module, so it loads little more than `os`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_SHORT_COMMIT = 10
_BRANCHES = "ref: refs/heads/"
_REFTABLE = ".invalid"
"""The content of HEAD if references are stored in another format, which devinit does not read."""
_ENOUGH = 4096


class Worktree(NamedTuple):
    """A folder that git has checked out: the main one of a repository, or a linked worktree."""

    top: str
    """Its top folder, without symbolic links."""
    branch: str | None
    """The branch, or the short commit if none is checked out; None if unknown."""
    linked: bool
    """Whether it was created by `git worktree add`. A submodule was not: it is the main
    checkout of its own repository."""
    main_top: str | None
    """The top folder of the main checkout, which may be this one; None if the repository is bare."""


def worktree_of(path: str | os.PathLike[str]) -> Worktree | None:
    """Return the checkout that contains a file or folder, or None."""
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
    """Whether a main checkout lists a folder among its linked worktrees, as in `git worktree list`."""
    records = os.path.join(main_top, ".git", "worktrees")
    try:
        names = os.listdir(records)
    except OSError:
        return False
    marker = os.path.realpath(os.path.join(top, ".git"))
    for name in names:
        record = os.path.join(records, name)
        # An absolute path, or with `worktree.useRelativePaths` one relative to the record.
        stated = _first_line(os.path.join(record, "gitdir"))
        if stated and os.path.realpath(os.path.join(record, stated)) == marker:
            return True
    return False


def _checkout(top: str) -> Worktree | None:
    """Return the checkout whose top is this folder."""
    marker = os.path.join(top, ".git")
    pointer = _first_line(marker)
    if pointer is None:
        directory = marker
    elif pointer.startswith("gitdir:"):
        directory = os.path.join(top, pointer.removeprefix("gitdir:").strip())
    else:
        return None
    head = _first_line(os.path.join(directory, "HEAD"))
    if head is None:  # git ignores such a folder too
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
    """Return the first line of a small file; None if it is missing, a folder, unreadable, or full of zeros.

    A power failure can leave NUL bytes in place of the text, and no path contains any.
    """
    try:
        # O_NONBLOCK: a named pipe without a writer is read as an empty file.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            text = os.read(descriptor, _ENOUGH)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    line = os.fsdecode(text).partition("\n")[0].rstrip()
    return None if "\0" in line else line
