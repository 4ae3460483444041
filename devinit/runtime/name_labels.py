"""The labels of checkouts in names, remembered for the whole machine, as two projects may have the same name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.defaults import project_name
from devinit.model.service import Project
from devinit.runtime.names import free_label, label_of
from devinit.system.file_lock import FileLock
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import state_directory
from devinit.system.worktrees import Worktree, worktree_of

FILE = "names.json"


def label_for(project: Project) -> str:
    """Return the label of a project in names, which is reserved for it as long as its folder exists.

    A project without a label, or with a new name, claims one. Blocking.
    """
    root, path = os.path.realpath(project.root), state_directory() / FILE
    wanted = wanted_label(project, worktree_of(root))
    if (known := _read(path).get(root)) is not None and known["wanted"] == wanted:
        return known["label"]
    with FileLock(path.with_suffix(".lock")):
        others = {
            folder: each for folder, each in _read(path).items() if folder != root and Path(folder).is_dir()
        }
        label = free_label(wanted, (each["label"] for each in others.values()))
        names = {**others, root: {"wanted": wanted, "label": label}}
        write_atomically(path, json.dumps({"version": 1, "names": names}) + "\n", mode=0o600)
    return label


def wanted_label(project: Project, worktree: Worktree | None) -> str:
    """Return the label of a project without regard to others; that of a linked worktree contains its branch."""
    if worktree is None or not worktree.linked:
        return label_of(project.name)
    is_top = worktree.top == os.path.realpath(project.root)
    is_named_by_folder = project.name == project_name(project.root)
    name = project.name
    if is_top and is_named_by_folder and worktree.main_top is not None:
        name = project_name(Path(worktree.main_top))
    return label_of(f"{name}-{worktree.branch or Path(worktree.top).name}")


def _read(path: Path) -> Mapping[str, dict[str, str]]:
    """Return the recorded labels by folder; empty if unreadable, so that labels are chosen again."""
    try:
        names = json.loads(read_text(path) or "{}")["names"]
        return {
            str(root): {"wanted": str(each["wanted"]), "label": str(each["label"])}
            for root, each in names.items()
        }
    except (StateFileError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
