"""Specifies the change of one key of devinit.toml: everything else stays, or nothing is changed."""

from __future__ import annotations

import tomllib

import pytest

from devinit.config.edit import with_key

FILE = """\
# Our shop.
[project]
name = "shop"

[services.backend]   # the API
command = "uvicorn app:app --port ${PORT}"
setup = [
    "uv sync",   # the lock file decides
]

# What the browser shows.
[services."front end"]
  port = 3000        # registered with the login
  on_conflict = 'ask'   # for now

[services.db]

[profiles.ci.services.backend]
on_conflict = "fail"
"""


def lines_that_differ(before: str, after: str) -> tuple[list[str], list[str]]:
    gone = [line for line in before.split("\n") if line not in after.split("\n")]
    new = [line for line in after.split("\n") if line not in before.split("\n")]
    return gone, new


class TestAKey:
    def test_is_added_behind_the_last_one_of_its_table(self) -> None:
        text = with_key(FILE, ("services", "backend"), "on_conflict", "kill")

        assert text is not None
        assert lines_that_differ(FILE, text) == ([], ['on_conflict = "kill"'])
        assert ']\non_conflict = "kill"\n\n# What the browser shows.' in text

    def test_is_replaced_where_it_stands(self) -> None:
        text = with_key(FILE, ("services", "front end"), "on_conflict", "move")

        assert text is not None
        assert lines_that_differ(FILE, text) == (
            ["  on_conflict = 'ask'   # for now"],
            ['  on_conflict = "move"   # for now'],
        )

    def test_is_added_to_an_empty_table(self) -> None:
        text = with_key(FILE, ("services", "db"), "on_conflict", "reuse")

        assert text is not None
        assert '[services.db]\non_conflict = "reuse"\n\n[profiles' in text

    def test_of_a_profile_is_not_the_services_own(self) -> None:
        text = with_key(FILE, ("profiles", "ci", "services", "backend"), "on_conflict", "move")

        assert text == FILE.replace('"fail"', '"move"')

    def test_is_indented_like_its_neighbours(self) -> None:
        text = "[services.a]\n  port = 1\n"

        assert with_key(text, ("services", "a"), "on_conflict", "kill") == text + '  on_conflict = "kill"\n'

    def test_keeps_the_line_ends_of_windows(self) -> None:
        text = "[services.a]\r\nport = 1\r\n"

        assert with_key(text, ("services", "a"), "on_conflict", "kill") == text + 'on_conflict = "kill"\r\n'

    def test_is_added_where_the_last_line_has_no_end(self) -> None:
        text = "[services.a]\nport = 1"

        assert with_key(text, ("services", "a"), "on_conflict", "kill") == text + '\non_conflict = "kill"'

    def test_that_has_its_value_already_changes_nothing(self) -> None:
        text = '[services.a]\non_conflict = "kill"\n'

        assert with_key(text, ("services", "a"), "on_conflict", "kill") == text


class TestATableThatIsNotThere:
    """A service that was detected has none, or one that is a comment."""

    @pytest.mark.parametrize(
        ("text", "changed"),
        [
            ("", '[services.a]\non_conflict = "kill"\n'),
            ("[services.b]\nport = 1\n", '[services.b]\nport = 1\n\n[services.a]\non_conflict = "kill"\n'),
            ("# [services.a]", '# [services.a]\n\n[services.a]\non_conflict = "kill"\n'),
            (
                "[services.b]\r\nport = 1\r\n",
                '[services.b]\r\nport = 1\r\n\r\n[services.a]\r\non_conflict = "kill"\r\n',
            ),
        ],
    )
    def test_is_added_at_the_end(self, text: str, changed: str) -> None:
        assert with_key(text, ("services", "a"), "on_conflict", "kill") == changed


class TestALayoutThatIsNotUnderstood:
    @pytest.mark.parametrize(
        "text",
        [
            "services.a.port = 1\n",
            "[services]\na.port = 1\n",
            "[services]\na = { port = 1 }\n",
            '[project]\nname = """\n[services.a]\n"""\n\n[services]\na.port = 1\n',
            '[services.a]\nsetup = [\n["x"]\n]\n',
            '[services.a]\n"on_conflict" = "ask"\n',
            "this is no TOML\n[services.a]\n",
        ],
    )
    def test_is_left_alone(self, text: str) -> None:
        assert with_key(text, ("services", "a"), "on_conflict", "kill") is None

    def test_in_another_place_does_not_matter(self) -> None:
        text = '[project]\nname = """\n[services.a]\n"""\n'

        assert with_key(text + "[services.a]\nport = 1\n", ("services", "a"), "on_conflict", "kill") is None

    def test_is_understood_after_sub_tables(self) -> None:
        text = '[services.a]\nport = 1\n[services.a.ready]\nhttp = "/"\n'

        changed = with_key(text, ("services", "a"), "on_conflict", "kill")

        assert changed is not None
        assert tomllib.loads(changed)["services"]["a"] == {
            "port": 1,
            "on_conflict": "kill",
            "ready": {"http": "/"},
        }
