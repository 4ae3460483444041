"""Specifies own keys and themes: what `~/.config/devinit/config.toml` may say, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.dashboard.keys import KEYS
from devinit.dashboard.preferences import (
    OwnTheme,
    Preferences,
    keys_with,
    preferences_of,
    preferences_path,
    read_preferences,
)

if TYPE_CHECKING:
    from tests.dashboard.conftest import FakeLink, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]


class TestTheFile:
    def test_lies_where_configuration_lies(self) -> None:
        assert preferences_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/devinit/config.toml")
        assert preferences_path({"XDG_CONFIG_HOME": "relative"}) == Path(
            "/home/ann/.config/devinit/config.toml"
        )

    def test_is_not_needed(self, tmp_path: Path) -> None:
        assert read_preferences({"XDG_CONFIG_HOME": str(tmp_path)}) == Preferences()

    def test_that_cannot_be_read_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "devinit" / "config.toml").mkdir(parents=True)

        assert "config.toml" in read_preferences({"XDG_CONFIG_HOME": str(tmp_path)}).problems[0]

    def test_that_is_no_toml_is_said(self) -> None:
        assert preferences_of("keys = [").problems[0].startswith("no TOML: ")


class TestKeys:
    def test_are_those_of_the_user(self) -> None:
        found = preferences_of('[keys]\nrestart = "f5"\norder = "%"\n')

        assert found == Preferences(keys={"restart": "f5", "order": "%"})
        own = {each.action: each for each in keys_with(found.keys)}
        assert (own["restart"].key, own["order"].display) == ("f5", "")
        assert own["search"].display == "/"
        assert len(keys_with({})) == len(KEYS)

    def test_may_change_places(self) -> None:
        assert preferences_of('[keys]\nstart = "r"\nrestart = "s"\n').problems == ()

    def test_of_a_stop_hold_for_the_second_one_too(self) -> None:
        assert preferences_of('[keys]\nstop = "K"\n') == Preferences(keys={"stop": "K", "end_now": "K"})

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ('restrt = "f5"', "keys.restrt: unknown, did you mean restart?"),
            ('restart = "s"', "keys.restart: s is the key of start"),
            ('restart = "g"', "keys.restart: g is the key of scroll_log"),
            ('restart = "enter"', "keys.restart: a character, or a name like ctrl+x, f5, pageup is needed"),
            ('restart = "ctrl+q"', "keys.restart: ctrl+q means the same everywhere"),
            ("restart = 5", "keys.restart: a character, or a name like ctrl+x, f5, pageup is needed"),
        ],
    )
    def test_that_cannot_be_had_are_said_and_left_out(self, line: str, problem: str) -> None:
        assert preferences_of(f"[keys]\n{line}\n") == Preferences(problems=(problem,))


class TestThemes:
    def test_are_another_one_with_some_colours_changed(self) -> None:
        found = preferences_of(
            '[dashboard]\ntheme = "sea"\n[themes.sea]\nbase = "light"\nprimary = "#007788"\n'
        )

        assert found == Preferences(theme="sea", themes=(OwnTheme("sea", "light", {"primary": "#007788"}),))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('[themes.a]\nprimry = "#fff"', "themes.a.primry: unknown, did you mean primary?"),
            ('[themes.a]\nprimary = "blueish"', "themes.a.primary: a colour like #7cb7ff is needed"),
            ('[themes.a]\nbase = "sepia"', "themes.a.base: dark or light, not sepia"),
            ("themes = 3", "themes: a table is needed"),
            ("[theme]", "theme: unknown, did you mean themes?"),
            ("[dashboard]\ntheme = 3", "dashboard.theme: the name of a theme is needed"),
            ('[dashboard]\nthem = "x"', "dashboard.them: unknown, did you mean theme?"),
        ],
    )
    def test_with_mistakes_say_where(self, text: str, problem: str) -> None:
        assert preferences_of(text).problems == (problem,)


class TestTheDashboard:
    async def test_takes_the_keys_of_the_user(self, open_desk: Open, link: FakeLink) -> None:
        async with open_desk(200, 50, preferences=Preferences(keys={"restart": "f5"})) as desk:
            assert "f5 Restart" in desk.text()
            await desk.press("r")
            assert link.orders == []

            await desk.press("f5")

            assert link.orders[0][0] == "restart"
            await desk.press("question_mark")
            await desk.shows("f5 ")

    async def test_takes_the_theme_of_the_user(self, open_desk: Open) -> None:
        own = Preferences(theme="sea", themes=(OwnTheme("sea", "dark", {"primary": "#00ff88"}),))
        async with open_desk(preferences=own) as desk:
            assert desk.app.theme == "sea"
            assert desk.app.theme_variables["primary"].lower() == "#00ff88"
            assert desk.app.theme_variables["dim"] == "#8391a3"

    async def test_says_what_is_wrong_and_shows_the_rest(self, open_desk: Open) -> None:
        wrong = Preferences(theme="see", problems=("keys.restrt: unknown, did you mean restart?",))
        async with open_desk(preferences=wrong) as desk:
            assert "keys.restrt: unknown, did you mean restart?" in desk.text()
            assert "dashboard.theme: there is no theme see" in desk.text()

    async def test_has_a_hint_for_who_opens_it_for_the_first_time(self, open_desk: Open) -> None:
        async with open_desk(hint="? shows every key") as desk:
            assert "? shows every key" in desk.text()
