"""Named commands of a repository that start no server: scripts of package.json, targets of make, just and task.

They are no source of services: `devinit run` lists them beside the tasks of devinit.toml. This module only checks
whether there may be any; `reading` finds them, and takes longer to load.
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
"""In bytes; a larger file is not read, as in `sources.files`."""


def are_possible(folders: Iterable[str], name: str = "") -> bool:
    """Return whether a file with suggestions contains a name; with an empty name, whether any such file exists."""
    word = name.rpartition(":")[2].encode(errors="surrogateescape")
    return any(_mentions(os.path.join(folder, file), word) for folder in folders for file in FILES)  # noqa: PTH118


def _mentions(path: str, word: bytes) -> bool:
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib takes long to load
        return False
    if os.path.islink(path):  # noqa: PTH114 - as above
        return True  # `reading` decides whether the link may be followed
    try:
        content = read_bytes(path, most=LARGEST_FILE) or b""
    except StateFileError:
        return False
    # JSON may escape characters of the name: then only `reading` can decide.
    return word in content or b"\\u" in content
