"""How a place in a file is opened in an editor: which command, and whether it needs the terminal. Pure."""

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
"""Editors with windows of their own, and what they are given."""
IN_THE_TERMINAL = {
    **dict.fromkeys(("hx", "helix"), ("{path}:{line}:{column}",)),
    "kak": ("+{line}:{column}", "{path}"),
    "micro": ("+{line}:{column}", "{path}"),
}
"""Of the others those that take a line in another form than `+LINE FILE`."""
LINE_FIRST = ("+{line}", "{path}")
TAKE_LINES = frozenset(
    ("vi", "vim", "nvim", "nano", "emacs", "emacsclient", "joe", "jed", "ne", "pico", "less", "more", "vise")
)


class Command(Struct, frozen=True):
    """A command that shows a place."""

    words: tuple[str, ...]
    needs_terminal: bool


def chosen_editor(environ: Mapping[str, str]) -> str:
    """Return the command line of the user's editor; empty if none is set."""
    return environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()


def command_for(editor: str, path: str, line: int = 1, column: int = 0) -> Command | None:
    """Return the command that opens a file at a line; None when the editor is no command line.

    The words of the editor are split as a shell splits them, and no shell runs them. `path`: absolute, so that it
    is never taken for an option.
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
    """Return a word with the values in it. The path is put in last: it may look like another one."""
    for name in ("{line}", "{column}", "{path}"):
        word = word.replace(name, values[name])
    return word
