"""Log lines saved as a file: at a path of the user's choice, or for the editor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from devinit.system.files import write_atomically
from devinit.system.paths import project_id, runtime_directory


def save(lines: Sequence[str], path: Path) -> None:
    """Write lines to a new file that only the user can read. Raise OSError, also if the file exists."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.writelines(f"{line}\n" for line in lines)


def save_for_the_editor(lines: Sequence[str], root: Path, name: str) -> Path:
    """Write lines to a file per service, replacing the previous ones; return its path.

    Raise StateFileError if it cannot be written.
    """
    path = runtime_directory() / f"{project_id(root)}-{name}.log.txt"
    write_atomically(
        path, "".join(f"{line}\n" for line in lines).encode(errors="replace"), mode=0o600, durable=False
    )
    return path
