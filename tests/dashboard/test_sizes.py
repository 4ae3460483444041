"""Specifies how every screen is laid out at four sizes, from a corner of a laptop's screen to a whole large one.

`layouts/NAME.txt` keeps what each shows. DEVINIT_UPDATE_SNAPSHOTS=1 keeps the screens of now: look at them before they
are committed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.text import width
from tests.dashboard.conftest import CONFLICT, UPDATE, port_question

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]

SIZES = ((40, 12), (80, 24), (120, 40), (300, 90))
SCREENS = {
    "main": (),
    "all-services": ("a", "t", "w"),
    "grouped": ("comma",),
    "search": ("slash", *"error"),
    "type": ("i", *"p x"),
    "details": ("d",),
    "ports": ("p",),
    "environment": ("v",),
    "graph": ("D",),
    "help": ("question_mark",),
    "stop-everything": ("X",),
    "conflict": ("r",),
}
"""Every screen with the keys that lead to it."""
NEEDS = {"backend": ["postgres"], "frontend": ["backend"], "worker": ["postgres"], "mailer": ["worker"]}
WAYS_BACK = {
    "main": "q Quit",
    "all-services": "q Quit",
    "grouped": "q Quit",
    "search": "Esc Leave it",
    "type": "Esc Close",
    "stop-everything": "No (n)",
    "conflict": "abort",
}
"""What has to be seen at every size; on a page, how it is left."""
FOLDER = Path(__file__).with_name("layouts")
HEADING = "=== {0[0]}x{0[1]}"


def kept_layouts(name: str) -> dict[str, str]:
    """Return what is kept of a screen, by the headings of its sizes."""
    path = FOLDER / f"{name}.txt"
    parts = re.split(r"^(=== \d+x\d+)\n", path.read_text() if path.exists() else "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def keep(name: str, heading: str, shown: str) -> None:
    """Keep how a screen is laid out now."""
    layouts = kept_layouts(name) | {heading: shown}
    FOLDER.mkdir(exist_ok=True)
    ordered = [HEADING.format(size) for size in SIZES if HEADING.format(size) in layouts]
    (FOLDER / f"{name}.txt").write_text("".join(f"{each}\n{layouts[each]}" for each in ordered))


def shown_by(desk: Desk) -> str:
    """Return a screen with a line feed behind each of its lines."""
    return "".join(f"{line}\n" for line in desk.text().splitlines())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_is_laid_out_as_it_was(
    open_desk: Open, link: FakeLink, name: str, size: tuple[int, int]
) -> None:
    heading = HEADING.format(size)
    link.services = [{**each, "depends_on": NEEDS.get(each["name"], [])} for each in link.services]
    async with open_desk(*size) as desk:
        desk.link.refusals = [port_question(CONFLICT)] if name == "conflict" else []
        await desk.press(*SCREENS[name])
        await desk.settled() if name != "conflict" else await desk.shows("Port 8000")
        desk.app.clear_notifications()
        await desk.pilot.pause()

        shown = shown_by(desk)

    assert all(width(line) <= size[0] for line in shown.splitlines())
    assert shown.count("\n") <= size[1]
    assert WAYS_BACK.get(name, "Esc Back") in shown
    if UPDATE:
        keep(name, heading, shown)
    assert shown == kept_layouts(name)[heading]
