"""The command that opens a place in a file in an editor, and whether it needs the terminal. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

WITH_WINDOWS = {
    **dict.fromkeys(
        ("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"),
        ("-g", "{path}:{line}:{column}"),
    ),
    **dict.fromkeys(("subl", "sublime_text", "zed", "zeditor", "lapce"), ("{path}:{line}:{column}",)),
    **dict.fromkeys(
        ("idea", "pycharm", "webstorm", "goland", "rubymine", "phpstorm", "clion", "rider", "charm"),
        ("--line", "{line}", "{path}"),
    ),
    **dict.fromkeys(("gedit", "gvim", "kate", "xed"), ("+{line}", "{path}")),
    "mate": ("-l", "{line}", "{path}"),
}
"""Editors with their own windows, and their arguments."""
IN_THE_TERMINAL = {
    **dict.fromkeys(("hx", "helix"), ("{path}:{line}:{column}",)),
    "kak": ("+{line}:{column}", "{path}"),
    "micro": ("+{line}:{column}", "{path}"),
}
"""Editors in the terminal that do not take `+LINE FILE`, and their arguments."""
LINE_FIRST = ("+{line}", "{path}")
TAKE_LINES = frozenset(
    ("vi", "vim", "nvim", "nano", "emacs", "emacsclient", "joe", "jed", "ne", "pico", "less", "more", "vise")
)


class Command(Struct, frozen=True):
    """A command that opens a place in a file."""

    words: tuple[str, ...]
    needs_terminal: bool


def chosen_editor(environ: Mapping[str, str]) -> str:
    """Return the command line of the user's editor; empty if none is set."""
    return environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()


def command_for(editor: str, path: str, line: int = 1, column: int = 0) -> Command | None:
    """Return the command that opens a file at a line; None if `editor` is not a valid command line.

    `editor` is split into words as by a shell, but no shell runs it. `path` must be absolute, so that it is never
    taken for an option.
    """
    try:
        words = shlex.split(editor)
    except ValueError:
        return None
    if not words:
        return None
    program = words[0].rpartition("/")[2].removesuffix(".exe").lower()
    form = WITH_WINDOWS.get(program) or IN_THE_TERMINAL.get(program)
    if form is None:
        form = LINE_FIRST if program in TAKE_LINES and line > 1 else ("{path}",)
    values = {"{path}": path, "{line}": str(max(line, 1)), "{column}": str(max(column, 1))}
    added = [filled(word, values) for word in form]
    return Command((*words, *added), program not in WITH_WINDOWS)


def filled(word: str, values: Mapping[str, str]) -> str:
    """Return a word with its placeholders replaced. The path comes last, because it may contain a placeholder."""
    for name in ("{line}", "{column}", "{path}"):
        word = word.replace(name, values[name])
    return word
