"""The file that carries the runtime environment: `.env.runtime`.

It is derived and always replaced as a whole; devinit does not read state from it. It contains passwords, so only
its owner may read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE

from devinit.errors import StateFileError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.runtime.dotenv import SIGNATURE, render
from devinit.system.files import read_bytes, try_to_write, write_atomically
from devinit.system.writer import line_of

PRIVATE = 0o600


def refuse_linked_environment(root: Path) -> None:
    """Raise StateFileError when `.env.runtime` is a link to a file with content that devinit did not write.

    A repository can contain `.env.runtime -> .env`, and `.env` is the one file of which git has no copy.
    """
    path = root / ENVIRONMENT_FILE
    if not os.path.islink(path):  # noqa: PTH114 - False where it cannot be looked at, as for reading
        return
    if environment_of_user(root) is not None:
        from shlex import quote  # it loads re, for an error only

        raise StateFileError(
            f"{path} is a link to {os.path.realpath(path)}, which devinit did not write",
            hint=f"nothing was changed; delete the link (`rm {quote(os.fspath(path))}`), and start again",
        )


def environment_of_user(root: Path) -> bytes | None:
    """Return the content of a `.env.runtime` that devinit did not write; None if there is none.

    An empty file counts as none. Raise StateFileError if it cannot be read.
    """
    content = read_bytes(root / ENVIRONMENT_FILE, inside=root) or b""
    # After a power failure, a file of ours may have its length but no content.
    return content if content.strip(b"\0 \n") and not content.startswith(SIGNATURE.encode()) else None


def publish_environment(root: Path, values: Mapping[str, str], writer: str = "") -> tuple[bool, str | None]:
    """Bring `.env.runtime` up to date; return whether it changed, and where a former text of the user is kept.

    `writer`: the id of the state folder, which the file names (system.writer).

    The text of a regular file that devinit did not write is copied to `.env.runtime.old` first. Raise
    StateFileError for a link to such a file, and if a file cannot be read or written.
    """
    refuse_linked_environment(root)
    path = root / ENVIRONMENT_FILE
    content = _content(root, values, writer)
    if _is_up_to_date(root, content):
        return False, None
    kept = None
    if (former := environment_of_user(root)) is not None:
        from devinit.system.former import keep_former  # only at the first start beside such a file

        kept = keep_former(path, former, most=PRIVATE)
    write_atomically(path, content, mode=PRIVATE, inside=root)
    return True, kept


def try_to_publish(root: Path, values: Mapping[str, str], writer: str = "") -> None:
    """Raise the errors that `publish_environment` would raise now, and change nothing."""
    refuse_linked_environment(root)
    content = _content(root, values, writer)
    if not _is_up_to_date(root, content):
        try_to_write(root / ENVIRONMENT_FILE, content, inside=root)


def _content(root: Path, values: Mapping[str, str], writer: str) -> bytes:
    return render(values, line_of(root, writer)).encode()


def _is_up_to_date(root: Path, content: bytes) -> bool:
    path = root / ENVIRONMENT_FILE
    return _is_private_file(path) and read_bytes(path, inside=root) == content


def _is_private_file(path: Path) -> bool:
    try:
        return S_IMODE(path.stat().st_mode) == PRIVATE and path.is_file()
    except OSError:
        return False
