"""Specifies that the picture before Textual is loaded is the one that Textual paints over it, cell by cell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pyte
import pytest
from rich.color import Color, ColorSystem

from devinit.dashboard.colours import DARK, LIGHT, colours_of
from devinit.dashboard.first_picture import code_of, of_256, painted, picture
from devinit.dashboard.preferences import OwnTheme
from devinit.dashboard.starting import Start, after
from devinit.dashboard.state import Stack, planned
from tests.dashboard.conftest import ROOT, FakeBegun

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]

PLAN: dict[str, Any] = {
    "type": "plan",
    "services": ["postgres", "backend", "frontend"],
    "starting": ["postgres", "backend", "frontend"],
}
Cell = tuple[str, str, str, bool]
"""A character, its colour, the one behind it, and whether it is bold."""


def cells_of(desk: Desk, lines: int) -> list[list[Cell]]:
    """Return what Textual shows on the first lines."""
    shown = []
    for strip in desk.app.screen._compositor.render_strips()[:lines]:
        row: list[Cell] = []
        for text, style, _ in strip:
            assert style is not None
            colour = style.color.get_truecolor().hex[1:] if style.color is not None else ""
            behind = style.bgcolor.get_truecolor().hex[1:] if style.bgcolor is not None else ""
            row += [(character, colour, behind, bool(style.bold)) for character in text]
        shown.append(row)
    return shown


def first_cells(columns: int, lines: int, colours: dict[str, str]) -> list[list[Cell]]:
    """Return what a terminal shows of the first picture."""
    stack = planned(Stack(root=str(ROOT), project=ROOT.name), PLAN)
    start = after(Start(began=998.0), PLAN, 1000.0)
    screen = pyte.Screen(columns, lines)
    pyte.ByteStream(screen).feed(painted(picture(stack, start, 1000.0, columns, lines), colours, columns))
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold)
            for cell in (screen.buffer[line][column] for column in range(columns))
        ]
        for line in range(lines)
    ]


def without_the_colour_of_spaces(row: list[Cell]) -> list[Cell]:
    return [("", "", cell[2], False) if cell[0] == " " else cell for cell in row]


class TestTheFirstPicture:
    @pytest.mark.parametrize("theme", [("devinit-dark", DARK), ("devinit-light", LIGHT)])
    @pytest.mark.parametrize(("columns", "lines"), [(40, 12), (80, 24), (120, 40), (300, 90)])
    async def test_is_what_textual_shows_next(
        self, open_desk: Open, link: FakeLink, columns: int, lines: int, theme: tuple[str, dict[str, str]]
    ) -> None:
        link.reachable = asyncio.Event()
        begun = FakeBegun()
        async with open_desk(columns, lines, begun=begun, theme=theme[0]) as desk:
            begun.happens(**PLAN)
            desk.app.store.__init__()  # no lines yet
            desk.main.show_logs()
            await desk.pilot.pause()
            above = 2 + 1 + 3 + 1  # headline and start, header, services, title of the logs

            expected = cells_of(desk, above)

        shown = first_cells(columns, lines, theme[1])
        for line in range(above):
            assert without_the_colour_of_spaces(shown[line]) == without_the_colour_of_spaces(expected[line])
        assert all(cell[2] == theme[1]["background"][1:] for row in shown[above:-1] for cell in row)

    def test_fits_in_a_terminal_of_any_size(self) -> None:
        stack = planned(Stack(root=str(ROOT), project=ROOT.name), PLAN)
        for columns in range(1, 60):
            for lines in range(1, 12):
                rows = picture(stack, Start(began=0.0), 5.0, columns, lines)
                assert len(rows) == lines
                painted(rows, DARK, columns)

    def test_obeys_nothing_that_a_service_is_called(self) -> None:
        plan = {"type": "plan", "services": ["a\x1b[2Jb"], "starting": ["a\x1b[2Jb"]}
        stack = planned(Stack(root="/x", project="x"), plan)

        shown = painted(picture(stack, Start(began=0.0), 0.0, 80, 10), DARK, 80)

        assert b"\x1b[2J" not in shown


class TestColours:
    @pytest.mark.parametrize("colour", sorted({*DARK.values(), *LIGHT.values(), "#000000", "#ffffff"}))
    def test_of_256_are_those_that_textual_chooses(self, colour: str) -> None:
        red, green, blue = Color.parse(colour).get_truecolor()

        assert of_256(red, green, blue) == Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).number

    def test_may_have_three_digits(self) -> None:
        assert code_of("#7bf", true_colours=True) == code_of("#77bbff", true_colours=True) == "2;119;187;255"
        assert code_of("#000", true_colours=False) == "5;16"

    def test_of_the_users_own_theme_are_known_and_those_of_textual_are_not(self) -> None:
        sea = OwnTheme(name="sea", base="light", colours={"primary": "#00aacc"})

        assert colours_of("sea", [sea]) == LIGHT | {"primary": "#00aacc"}
        assert colours_of("devinit-dark", []) == DARK
        assert colours_of("nord", [sea]) is None
