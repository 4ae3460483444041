"""Print or write the client for JavaScript: one file for a frontend, or the whole package in a folder.

A file that a person has written or edited is left alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from devinit import __version__
from devinit.cli.output import print_json, talk
from devinit.clients.files import ALONE, PACKAGE, TYPES, Standing, names, standing, text_of
from devinit.errors import StateFileError, UsageError
from devinit.system import terminal
from devinit.system.files import LARGEST_SETTINGS, read_text, write_atomically
from devinit.system.former import keep_former

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit client js -o src/devinit.js"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("language", choices=["js"], help="js: for pages and for Node, with types")
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="write this file; or, for a folder (PATH/), the whole package: Node, Vite, React, Vue, Svelte",
    )
    parser.add_argument(
        "--types", action="store_true", help="with -o FILE: write FILE.d.ts beside it, for TypeScript"
    )
    parser.add_argument(
        "--path", action="store_true", help="print the folder of the package, for `npm install`"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace files that are not the client's; they are kept as FILE.old",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print or write the client."""
    if arguments.path and arguments.output is not None:
        raise UsageError(
            "--path and -o exclude each other", hint="example: npm install $(devinit client js --path)"
        )
    if arguments.output is not None:
        return _write(arguments)
    if arguments.path:
        _answer(arguments, {"path": str(PACKAGE)}, f"{PACKAGE}\n")
    else:
        _answer(arguments, {"text": text_of(ALONE, __version__)}, text_of(ALONE, __version__))
    return 0


def _answer(arguments: Arguments, as_json: dict[str, str], text: str) -> None:
    if arguments.json:
        print_json(as_json)
    else:
        terminal.data(text)


def _write(arguments: Arguments) -> int:
    wanted = _wanted(arguments.output, with_types=arguments.types)
    found = {path: standing(read_text(path, most=LARGEST_SETTINGS), text) for path, text in wanted.items()}
    foreign = [path for path, each in found.items() if each is Standing.FOREIGN]
    if foreign and not arguments.force:
        raise UsageError(
            f"{foreign[0]} is not the client as devinit wrote it: it is left as it is",
            hint=f"name another one with -o, or replace it with --force, which keeps it as {foreign[0].name}.old",
        )
    changed = [path for path, each in found.items() if each is not Standing.SAME]
    for path in changed:
        if found[path] is Standing.FOREIGN:
            kept = keep_former(path, (read_text(path, most=LARGEST_SETTINGS) or "").encode())
            talk(f"what stood there is kept as {kept}")
        _make_folder(path.parent)
        write_atomically(path, wanted[path], keeps_owner=True)
    if arguments.json:
        print_json({"files": [{"path": str(path), "changed": path in changed} for path in wanted]})
    else:
        terminal.write(
            sys.stdout, [f"{'wrote' if path in changed else 'is as it should be:'} {path}" for path in wanted]
        )
    return 0


def _wanted(output: str, *, with_types: bool) -> dict[Path, str]:
    """Return the files to write, with their texts."""
    path = Path(output)
    if output.endswith("/") or path.is_dir():
        return {path / name: text_of(name, __version__) for name in names()}
    alone = {path: text_of(ALONE, __version__)}
    return alone | ({path.with_suffix(".d.ts"): text_of(TYPES, __version__)} if with_types else {})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateFileError(f"{folder} cannot be made: {error.strerror}") from error
