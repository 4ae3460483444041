"""Specifies what the keys and the mouse take out of the logs: links, lines, files."""

from __future__ import annotations

import contextlib
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.dashboard.lines.feed import Piece
from devinit.dashboard.opening import located
from devinit.logs.lines import Line
from tests.dashboard.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.dashboard.conftest import Desk, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run in the terminal."""
    calls: list[list[str]] = []
    monkeypatch.setenv("VISUAL", "vim")
    monkeypatch.setattr("devinit.dashboard.opening.has_browser", lambda: True)

    def call(words: Sequence[str]) -> int:
        calls.append(list(words))
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "shop/src").mkdir(parents=True)
    (tmp_path / "shop/src/a.ts").write_text("")
    (tmp_path / "outside.py").write_text("")
    (tmp_path / "shop/link.py").symlink_to(tmp_path / "outside.py")
    return tmp_path / "shop"


def content_of(path: str) -> str:
    return Path(path).read_text()


async def says(desk: Desk, *texts: str) -> None:
    lines = [Line(text, NOON + 60 + number) for number, text in enumerate(texts)]
    desk.app._add_lines([Piece("backend", lines)])
    await desk.pilot.pause()


def at_work(desk: Desk, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.main.opener.root = checkout
    desk.link.answers["why"] = {"directory": str(checkout / "src")}
    monkeypatch.setattr(desk.app, "suspend", contextlib.nullcontext)


async def click(desk: Desk, text: str) -> None:
    """Click the first character of a text."""
    pane = desk.main.log_pane
    for y in range(pane.size.height):
        row = "".join(segment.text for segment in pane.render_line(y))
        if text in row:
            await desk.pilot.click(pane, offset=(row.index(text) + 1, y))
            await desk.settled()
            return
    raise AssertionError(text)


class TestALink:
    async def test_to_a_page_opens_with_a_click(self, open_desk: Open, edited: list[list[str]]) -> None:
        async with open_desk() as desk:
            await says(desk, "see http://127.0.0.1:8000/docs now")
            await click(desk, "http://127")

            assert desk.opened == ["http://127.0.0.1:8000/docs"]

    async def test_that_the_program_made_opens_with_a_click(
        self, open_desk: Open, edited: list[list[str]]
    ) -> None:
        async with open_desk() as desk:
            await says(
                desk,
                "\x1b]8;;https://a.b/c\x07the page\x1b]8;;\x07 and \x1b]8;;file:///etc\x07no\x1b]8;;\x07",
            )
            await click(desk, "the page")
            await click(desk, "no")

            assert desk.opened == ["https://a.b/c"]

    async def test_to_a_place_opens_in_the_editor(
        self, open_desk: Open, edited: list[list[str]], checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await says(desk, "src/a.ts:4:2 - error")
            await click(desk, "a.ts")

            assert edited == [["vim", "+4", str(checkout / "src/a.ts")]]

    async def test_opens_with_a_key_from_the_folder_of_the_service(
        self, open_desk: Open, edited: list[list[str]], checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await says(desk, "a.ts:4:2 - error", "and nothing here")
            await desk.press("O")
            await desk.settled()

            assert edited == [["vim", "+4", str(checkout / "src/a.ts")]]

    async def test_of_a_folded_traceback_is_the_innermost_place_of_the_users_own_code(
        self, open_desk: Open, edited: list[list[str]], checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = checkout / "lib/site-packages/x.py"
        other.parent.mkdir(parents=True)
        other.write_text("")
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await says(
                desk,
                "Traceback (most recent call last):",
                '  File "src/b.py", line 1, in f',
                '  File "src/a.ts", line 9, in g',
                f'  File "{other}", line 3, in h',
                "ValueError: no",
            )
            await desk.press("O")
            await desk.settled()

            assert edited == [["vim", "+9", str(checkout / "src/a.ts")]]

    async def test_says_so_where_there_is_none(self, open_desk: Open, edited: list[list[str]]) -> None:
        async with open_desk() as desk:
            await desk.press("ctrl+l")
            await says(desk, "nothing at /no/such.py:3")
            await desk.press("O")

            assert [each.message for each in desk.app._notifications] == [
                "no link and no file of this checkout here"
            ]

    async def test_needs_an_editor(
        self, open_desk: Open, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.delenv("EDITOR", raising=False)
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await says(desk, "src/a.ts:4:2")
            await desk.press("O")
            await desk.settled()

            [notice] = desk.app._notifications
            assert "set VISUAL or EDITOR" in notice.message


def test_only_files_of_the_checkout_or_by_their_whole_path_are_opened(checkout: Path) -> None:
    folders = [str(checkout), str(checkout / "src")]

    assert located("a.ts", checkout, folders) == checkout / "src/a.ts"
    assert located("../outside.py", checkout, folders) is None
    assert located("link.py", checkout, folders) is None
    assert located(str(checkout.parent / "outside.py"), checkout, folders) == checkout.parent / "outside.py"
    assert located("/dev/zero", checkout, folders) is None
    assert located("src", checkout, folders) is None
    assert located("a\0b", checkout, folders) is None


class TestTheLines:
    async def test_that_came_last_are_copied(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await says(desk, "one", "two", "three")
            await desk.press("Y")
            await desk.press(*["backspace"] * 3, "2", "enter")

            assert desk.app.clipboard == "two\nthree"

    async def test_are_not_copied_after_escape(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("Y", "escape")

            assert desk.app.clipboard == ""

    async def test_are_saved_in_a_new_private_file(
        self, open_desk: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with open_desk() as desk:
            await desk.press("f", *"Started", "enter", "W", "enter")
            saved = tmp_path / "backend.txt"
            assert saved.read_text() == "INFO:     Started server process [4102]\n"
            assert stat.S_IMODE(saved.stat().st_mode) == 0o600

            await desk.press("W", "enter")
            assert "File exists" in list(desk.app._notifications)[-1].message

    async def test_are_opened_in_the_editor(
        self, open_desk: Open, edited: list[list[str]], checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await desk.press("f", *"Started", "enter", "V")
            await desk.settled()

            [[program, path]] = edited
            assert program == "vim"

        assert content_of(path) == "INFO:     Started server process [4102]\n"

    async def test_an_editor_with_windows_leaves_the_terminal_alone(
        self, open_desk: Open, checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        code = tmp_path / "code"
        code.write_text(f'#!{sys.executable}\nimport sys\nopen("{tmp_path}/told", "w").write(sys.argv[2])\n')
        code.chmod(0o755)
        monkeypatch.setenv("VISUAL", str(code))
        async with open_desk() as desk:
            at_work(desk, checkout, monkeypatch)
            await says(desk, "src/a.ts:4:2")
            await desk.press("O")
            await desk.settled()
            [window] = desk.main.opener._windows
            assert window.wait(30) == 0

        assert (tmp_path / "told").read_text() == f"{checkout}/src/a.ts:4:2"
