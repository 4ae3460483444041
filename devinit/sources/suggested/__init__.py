"""Named commands of a repository that start no server: scripts of package.json, targets of make.

They are no source of services. `devinit run` lists them beside the tasks of devinit.toml. This module only tells
whether there may be some; `reading` finds them, and takes longer to load.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.system.files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "package.json"
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""In the order in which make looks for them."""
JUSTFILES = ("justfile", "Justfile", ".justfile")
TASKFILES = ("Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml")
FILES = (PACKAGE, *MAKEFILES, *JUSTFILES, *TASKFILES)
LARGEST_FILE = 500_000
"""Bytes; a larger one is not read (`sources.files`)."""


def are_possible(folders: Iterable[str], name: str = "") -> bool:
    """Return whether a folder has a file with suggestions that contains a name; any name by default."""
    word = name.rpartition(":")[2].encode(errors="surrogateescape")
    return any(_mentions(os.path.join(folder, file), word) for folder in folders for file in FILES)  # noqa: PTH118


def _mentions(path: str, word: bytes) -> bool:
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib takes long to load
        return False
    if os.path.islink(path):  # noqa: PTH114 - as above
        return True  # whether it may be followed, `reading` tells
    try:
        content = read_bytes(path, most=LARGEST_FILE) or b""
    except StateFileError:
        return False
    # JSON may write a character as an escape: then it cannot be told here.
    return word in content or b"\\u" in content
