"""Open the links in log lines: pages in the browser, file locations in the editor.

A service may print any path. Only regular files are opened: by a path inside the checkout, or an absolute path.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from devinit.dashboard.browser import has_browser
from devinit.dashboard.editor import chosen_editor, command_for
from devinit.errors import DevinitError
from devinit.logs.links import Link
from devinit.system import terminal

NO_EDITOR = "no editor: set VISUAL or EDITOR, then start the dashboard again"
MOST_FOLDERS = 200
"""Top-level folders of the checkout that are searched for a relative path."""
MOST_KNOWN = 2_000


class Desk(Protocol):
    """The parts of the dashboard that an opener needs."""

    @property
    def is_web(self) -> bool: ...  # noqa: D102  Textual's

    def open_url(self, url: str, *, new_tab: bool = True) -> None: ...  # noqa: D102  Textual's

    def copy_to_clipboard(self, text: str) -> None: ...  # noqa: D102  Textual's

    def say(self, text: str, *, title: str = "", seconds: float) -> None:
        """Show a message for some seconds."""

    def lend(self, use: Callable[[], None]) -> bool:
        """Give the terminal to a function until it returns; return whether that was possible."""


class Opener:
    """Opens pages in the browser and files in the editor."""

    def __init__(self, desk: Desk, ask: Callable[..., Awaitable[Any]], root: Path) -> None:
        """`ask`: sends a request to the supervisor, which knows the folder of each service."""
        self._desk, self._ask, self.root = desk, ask, root
        self._windows: list[subprocess.Popen[bytes]] = []
        self._folders: dict[str, str] = {}
        self._known: dict[str, bool] = {}

    def leads_somewhere(self, link: Link) -> bool:
        """Whether a link has a target. Called for each row that is painted, so answers are cached."""
        if link.url:
            return True
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        if link.path not in self._known:
            self._known[link.path] = located(link.path, self.root, self._places()) is not None
        return self._known[link.path]

    async def follow(self, link: Link, service: str) -> None:
        """Open a page, or a location in a file, whose path may be relative to the folder of the service."""
        if link.url:
            self.open_page(link.url)
            return
        if service not in self._folders:
            try:
                self._folders[service] = str((await self._ask("why", {"service": service}))["directory"])
            except (DevinitError, KeyError):
                self._folders[service] = str(self.root)
        path = located(link.path, self.root, [self._folders[service], *self._places()])
        if path is None:
            self._desk.say(f"{link.path} is no file of this checkout", seconds=4)
        else:
            self.edit(path, link.line, link.column)

    def open_page(self, url: str) -> None:
        """Open a page in the browser."""
        if self._desk.is_web or has_browser():
            self._desk.open_url(url)
        else:
            self._desk.copy_to_clipboard(url)
            self._desk.say(f"no browser was found; copied: {url}", seconds=6)

    def edit(self, path: Path, line: int = 1, column: int = 0) -> None:
        """Open a file in the editor: in a window of its own, or in the terminal until the user quits it."""
        editor = chosen_editor(os.environ)
        command = command_for(editor, str(path), line, column)
        if command is None:
            self._desk.say(NO_EDITOR if not editor else f"{editor}: no command", seconds=6)
        elif command.needs_terminal:
            if not self._desk.lend(partial(run, command.words)):
                self._desk.say(f"not here: {path}:{line}", seconds=8)
        else:
            self._begin(command.words)

    def _begin(self, words: Sequence[str]) -> None:
        self._windows = [each for each in self._windows if each.poll() is None]
        nothing = subprocess.DEVNULL
        try:
            self._windows.append(
                subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
            )
        except OSError as error:
            self._desk.say(f"{words[0]}: {error.strerror}", seconds=6)

    def _places(self) -> list[str]:
        return [str(self.root), *self._folders.values(), *folders_in(str(self.root))]


def located(path: str, root: Path, folders: Iterable[str]) -> Path | None:
    """Return the regular file at an absolute path, or inside the checkout below one of the folders."""
    try:
        if path.startswith("/"):
            return Path(path) if Path(path).is_file() else None
        inside = root.resolve()
        for folder in folders:
            found = Path(folder, path).resolve()
            if found.is_relative_to(inside) and found.is_file():
                return found
    except (OSError, ValueError, RuntimeError):
        return None  # not a valid file name, or a loop of symbolic links
    return None


def folders_in(root: str) -> list[str]:
    """Return the top-level folders of a checkout, sorted, without hidden ones."""
    try:
        with os.scandir(root) as entries:
            found = [each.path for each in entries if not each.name.startswith(".") and each.is_dir()]
    except OSError:
        return []
    return sorted(found)[:MOST_FOLDERS]


def run(words: Sequence[str]) -> None:
    """Run a program in the terminal until it ends. After an error, wait for Enter: its output can be read."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        try:
            failed = subprocess.call(words) != 0
        except OSError as error:
            terminal.write(sys.stderr, [f"{words[0]}: {error.strerror}"])
            failed = True
        if failed:
            terminal.prompt(sys.stderr, "Enter goes back to the dashboard ")
            sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
