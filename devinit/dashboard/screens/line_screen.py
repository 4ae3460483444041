"""The keys that export from the logs: links, the last lines, a file, the editor."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual import on, work

from devinit.dashboard.lines.leading import link_near
from devinit.dashboard.lines.line import LogLine
from devinit.dashboard.lines.store import Store
from devinit.dashboard.opening import Opener
from devinit.dashboard.saved import save, save_for_the_editor
from devinit.dashboard.screens.entry import TextEntry
from devinit.dashboard.screens.log_screen import LogScreen
from devinit.dashboard.widgets.log_pane import LogPane
from devinit.errors import DevinitError
from devinit.text import counted

USUALLY_COPIED = 50
"""The default number of lines to copy."""


class LineScreen(LogScreen):
    """A screen with logs whose lines can be opened, copied and saved."""

    def __init__(self, store: Store, clock: Callable[[], float], opener: Opener) -> None:
        super().__init__(store, clock)
        self.opener = opener

    # Links

    @on(LogPane.LinkClicked)
    def open_clicked(self, clicked: LogPane.LinkClicked) -> None:
        """Open the clicked link."""
        self.open_link(clicked)

    @work
    async def open_link(self, clicked: LogPane.LinkClicked) -> None:
        """Open a page or a place in a file."""
        await self.opener.follow(clicked.link, clicked.service)

    def action_open_link(self) -> None:
        """Open the link in the cursor's line, or the latest link."""
        pane = self.log_pane
        found = link_near(pane.view, pane.cursor_row(), self.opener.leads_somewhere)
        if found is None:
            self.notify("no link and no file of this checkout here", timeout=3)
        else:
            self.open_link(LogPane.LinkClicked(*found))

    # Several lines

    def lines_shown(self) -> list[str]:
        """Return the displayed lines as they were printed, with times and names if these are displayed."""
        pane = self.log_pane
        return [self._with_prefix(line) for line in pane.view.lines()]

    def _with_prefix(self, line: LogLine) -> str:
        clock = time.strftime("%H:%M:%S ", time.localtime(line.at)) if self.log_pane.timestamps else ""
        name = f"{line.service} | " if self.log_pane.view.service is None else ""
        return f"{clock}{name}{line.plain}"

    def action_copy_lines(self) -> None:
        """Ask for a number of lines, and copy the last ones."""
        lines = self.lines_shown()
        most = min(USUALLY_COPIED, len(lines))

        def take(answer: str | None) -> None:
            if answer is not None and answer.isdecimal() and int(answer) > 0:
                self._copy("\n".join(lines[-int(answer) :]))

        said = f"of {counted(len(lines), 'line')} that are shown; Enter copies them, Esc leaves it"
        self.app.push_screen(TextEntry("How many of the last lines?", said, str(most), kind="integer"), take)

    def action_save(self) -> None:
        """Ask for a file name, and save the displayed lines."""
        lines, name = self.lines_shown(), self.log_pane.view.service or "logs"

        def take(answer: str | None) -> None:
            if answer:
                self._save(lines, Path(answer).expanduser())

        said = f"{counted(len(lines), 'line')}, without secrets; a file that is there is not replaced"
        self.app.push_screen(TextEntry("Save the lines that are shown as", said, f"{name}.txt"), take)

    def _save(self, lines: list[str], path: Path) -> None:
        try:
            save(lines, path)
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", severity="error", timeout=6)
        else:
            self.notify(f"{counted(len(lines), 'line')} saved in {path.absolute()}", timeout=5)

    def action_edit(self) -> None:
        """Open the displayed lines in the editor."""
        lines = self.lines_shown()
        try:
            path = save_for_the_editor(lines, self.opener.root, self.log_pane.view.service or "logs")
        except DevinitError as error:
            self.notify(str(error), severity="error", timeout=6)
        else:
            self.opener.edit(path, len(lines))
