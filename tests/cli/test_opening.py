"""Specifies what a start at a terminal shows before the dashboard is there."""

from __future__ import annotations

import io
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinit.cli import opening
from devinit.cli.opening import FirstPicture, Loading, colour_depth, opening_of
from devinit.dashboard.colours import DARK
from devinit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.errors import DevinitError
    from tests.cli.conftest import MakePty, Shop

Json = dict[str, Any]
ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"


class FakePending:
    """A start whose events come when a test says so."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.refusal: DevinitError | None = None
        self._tell: Callable[[Json], None] | None = None

    def listen(self, tell: Callable[[Json], None]) -> None:
        self._tell = tell

    def plans(self, *services: str) -> None:
        assert self._tell is not None
        self._tell({"type": "plan", "services": list(services), "starting": list(services)})


class FakeScreen:
    """The terminal's other screen, with a look at what is painted."""

    def __init__(self) -> None:
        self.is_shown = False
        self.painted: list[str] = []
        self.was_painted = threading.Event()

    def enter(self) -> bool:
        self.is_shown = True
        return True

    def leave(self) -> None:
        self.is_shown = False

    def give_away(self) -> list[Any] | None:
        before, self.is_shown = ([1] if self.is_shown else None), False
        return before

    def show(self, data: bytes) -> None:
        self.painted.append(data.decode())
        self.was_painted.set()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> FakeScreen:
    made = FakeScreen()
    monkeypatch.setattr("devinit.system.alternate_screen.AlternateScreen", lambda: made)
    monkeypatch.setattr("devinit.system.raw_terminal.show", made.show)
    monkeypatch.setattr("devinit.system.raw_terminal.size", lambda: (12, 60))
    return made


def first_picture(pending: FakePending) -> FirstPicture:
    return FirstPicture("/home/ada/shop", pending, DARK, true_colours=True)  # type: ignore[arg-type]  # a fake


class TestTheFirstPicture:
    def test_shows_the_services_once_they_are_known(
        self, screen: FakeScreen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(opening, "REFUSAL_SECONDS", 60)
        pending = FakePending()
        picture = first_picture(pending)

        picture.begin()
        pending.plans("postgres", "backend")

        assert screen.was_painted.wait(30)
        assert "postgres" in screen.painted[0]
        assert "backend" in screen.painted[0]
        picture.close()
        assert not screen.is_shown

    def test_comes_without_them_when_the_start_takes_its_time_to_answer(self, screen: FakeScreen) -> None:
        picture = first_picture(FakePending())

        picture.begin()

        assert screen.was_painted.wait(30)
        assert "starting" in screen.painted[0]
        picture.close()

    def test_does_not_open_for_a_start_that_is_refused(self, screen: FakeScreen) -> None:
        pending = FakePending()
        pending.refusal = ConfigError("devinit.toml: no such key")
        picture = first_picture(pending)

        assert not picture._paint()

        assert screen.painted == []
        assert not screen.is_shown

    def test_is_not_touched_any_more_once_it_is_given_to_the_dashboard(self, screen: FakeScreen) -> None:
        picture = first_picture(FakePending())
        assert picture._paint()

        assert picture.give_away() == [1]

        assert not picture._paint()
        assert len(screen.painted) == 1
        assert picture.give_away() is None


class TestLoading:
    def test_is_a_line_that_is_gone_when_the_dashboard_is_there(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)
        loading = Loading(pty.stream)

        loading.begin()

        assert pty.look()[0] == "… starting; the dashboard opens"
        loading.give_away()
        assert pty.look() == [""]

    def test_says_nothing_where_nobody_looks(self) -> None:
        stream = io.StringIO()
        loading = Loading(stream)

        loading.begin()
        loading.close()

        assert stream.getvalue() == ""


class TestWhichOfThem:
    @pytest.mark.parametrize(
        ("variables", "depth"),
        [
            ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "true"),
            ({"TERM": "xterm-256color"}, "256"),
            ({"TERM": "xterm-kitty"}, "256"),
            ({"TERM": "xterm"}, None),
            ({"TERM": "linux", "COLORTERM": ""}, None),
            ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, None),
            ({"TERM": "xterm-256color", "NO_COLOR": ""}, None),
        ],
    )
    def test_follows_the_colours_that_the_dashboard_will_have(
        self, variables: dict[str, str], depth: str | None
    ) -> None:
        assert colour_depth(variables) == depth

    def test_is_the_line_where_the_colours_are_known_to_textual_alone(
        self, make_pty: MakePty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stderr", make_pty(80, 24).stream)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        pending: Any = FakePending()

        assert isinstance(opening_of("/home/ada/shop", pending), FirstPicture)
        monkeypatch.setattr("devinit.dashboard.colours.remembered", lambda: "nord")
        assert isinstance(opening_of("/home/ada/shop", pending), Loading)


class TestAStart:
    @pytest.mark.timeout(120)
    def test_enters_the_other_screen_once_and_keeps_what_is_typed_for_the_dashboard(
        self, shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        shop.service("web", port=port)
        child = shop.terminal("start", "web", COLORTERM="truecolor")
        seen: list[str] = []

        child.expect_exact("starting")
        seen.append(f"{child.before}{child.after}")
        assert "\x1b[?1004h" not in seen[0], "Textual was loaded first"
        child.send("q")
        child.expect_exact(LEAVES)
        seen.append(f"{child.before}")
        child.wait() if child.isalive() else None

        assert "".join(seen).count(ENTERS) == 1
        assert shop.status()["web"]["phase"] in ("ready", "starting")

    @pytest.mark.timeout(120)
    def test_that_is_interrupted_before_the_dashboard_is_there_leaves_the_terminal_as_it_was(
        self, shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        shop.service("web", "never")
        child = shop.terminal("start", "web", COLORTERM="truecolor")

        child.expect_exact("starting")
        child.sendintr()
        child.expect_exact(LEAVES)
        child.expect("interrupted: stopping what this start brought up|q quits")

    @pytest.mark.timeout(120)
    def test_that_is_refused_says_so_on_the_shell(
        self, shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        shop.service("web", prot=port)
        child = shop.terminal("start", COLORTERM="truecolor")

        child.expect_exact('did you mean "port"?')
        shown = f"{child.before}"

        assert shown.count(ENTERS) == shown.count(LEAVES)
