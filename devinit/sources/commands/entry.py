"""Find the source file that a command runs, and the port on which it listens."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from devinit.model.evidence import Evidence
from devinit.sources.commands.listening import CODE, Listening, listening_in
from devinit.sources.files import read, read_source, seen, source_files
from devinit.system.bounds import Bounds

_ENDINGS = ("", ".js", ".ts", ".mjs", "/index.js", "/index.ts")
_MOST_WORDS = 20
_OF_NODE = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx")
_MOST_FILES = 200


def listening_of(
    program: Sequence[str], directory: Path, bounds: Bounds
) -> tuple[Listening, tuple[Evidence, ...]] | None:
    """Return the port of the source file that a command names, with the line that states it."""
    # The argument of `nodemon --exec` is one word: "tsx src/index.ts".
    for word in " ".join(program[:_MOST_WORDS]).split():
        for ending in _ENDINGS if "." not in word.rpartition("/")[2] else ("",):
            path = directory / f"{word}{ending}"
            if not path.name.endswith(CODE) or word.startswith("-") or not _is_file(path):
                continue
            text = read(path, bounds)
            found = listening_in(text)
            if found is None:
                return None
            inside = Path(os.path.normpath(path))
            if not inside.is_relative_to(bounds.root):
                return None
            return found, (seen("port", inside, bounds, text, found.position),) if found.port else ()
    return None


def may_listen(directory: Path, bounds: Bounds) -> bool:
    """Return whether a Node program in a folder may be a server.

    It may be one if a source file listens, or if there are no source files or too many to read.
    """
    files = list(islice(source_files(directory, _OF_NODE, bounds), _MOST_FILES))
    return not files or len(files) == _MOST_FILES or any(listening_in(read_source(file)) for file in files)


def _is_file(path: Path) -> bool:
    # Path.is_file() raises for a path that is too long.
    return os.path.isfile(path)  # noqa: PTH113
