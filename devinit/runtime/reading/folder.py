"""The code of a folder, read within limits of size and time; a file is read again only after a change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from devinit.errors import StateFileError
from devinit.runtime.reading import constants, javascript, python, spring
from devinit.runtime.reading.files import JAVASCRIPT, PYTHON, SPRING, Patience
from devinit.runtime.reading.read import Code
from devinit.system.files import read_bytes

LARGEST_FILE = 200_000


class Folder:
    """The code of one folder."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, int], Code]] = {}

    def code(self, files: Iterable[str]) -> dict[str, Code]:
        """Return the code of files, by file name; files that read nothing are left out. Blocking."""
        patience = Patience()
        found: dict[str, tuple[tuple[int, int], Code]] = {}
        for name in files:
            if patience.is_over():
                break
            try:
                status = os.lstat(name)
            except OSError:
                continue
            identity = status.st_mtime_ns, status.st_size
            known = self._read.get(name)
            found[name] = known if known is not None and known[0] == identity else (identity, _code_of(name))
        self._read = found
        return spring.without_other_databases(
            {name: code for name, (_, code) in found.items() if code != Code()}
        )


def databases_named_in(files: Iterable[str]) -> Iterator[tuple[str, constants.Named]]:
    """Yield the databases that files name as constants, each with its file. Blocking."""
    patience = Patience()
    for name in files:
        if patience.is_over():
            return
        text = _text_of(Path(name), constants.MARKS)
        for each in constants.databases_in(os.path.basename(name), text) if text else ():  # noqa: PTH119 - as they come
            yield name, each


def _code_of(name: str) -> Code:
    path = Path(name)
    marks, read = _reader_of(path)
    text = _text_of(path, marks)
    return read(text) if text else Code()


def _text_of(path: Path, marks: Iterable[bytes]) -> str:
    """Return the text of a file that contains one of these marks; "" for any other, and for an unreadable file."""
    try:
        content = read_bytes(path, inside=path.parent, most=LARGEST_FILE) or b""
    except StateFileError:
        return ""
    return content.decode("utf-8-sig", errors="replace") if any(mark in content for mark in marks) else ""


def _reader_of(path: Path) -> tuple[tuple[bytes, ...], Callable[[str], Code]]:
    if path.suffix in PYTHON:
        return python.MARKS, python.read_python
    if path.stem in SPRING and path.suffix not in JAVASCRIPT:
        return spring.MARKS, spring.read_spring
    return javascript.MARKS, javascript.read_javascript
