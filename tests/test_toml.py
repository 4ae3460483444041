"""Specifies which TOML is read, and what is said about a text that would take minutes."""

from __future__ import annotations

import tomllib

import pytest

from devinit.toml import MOST_PARTS, parse_toml

PARTS = 50_000
LONG = ".".join(["a"] * PARTS)


class TestAText:
    def test_is_read_as_tomllib_reads_it(self) -> None:
        text = '[profiles.ci.services."my api".environment]\nA = "1"\nb.c = { d.e = [1, { f = 2 }] }\n'

        assert parse_toml(text) == tomllib.loads(text)

    def test_may_have_keys_of_many_parts(self) -> None:
        key = ".".join(["a"] * MOST_PARTS)

        assert parse_toml(f"{key} = 1") == tomllib.loads(f"{key} = 1")

    @pytest.mark.parametrize(
        "value",
        [f'"{LONG}"', f"'{LONG}'", '"""\nThe end of a sentence. And another one.\n"""', f'["{LONG}"]'],
    )
    def test_may_have_any_number_of_dots_in_a_string(self, value: str) -> None:
        assert parse_toml(f"a = {value}") == tomllib.loads(f"a = {value}")


class TestAKeyOfVeryManyParts:
    @pytest.mark.timeout(120)
    @pytest.mark.parametrize(
        ("text", "place"),
        [
            (f"[{LONG}]", "line 1, column 2"),
            (f"\n[[ {LONG} ]]", "line 2, column 4"),
            (f"{LONG} = 1", "line 1, column 1"),
            (f"b = {{ {LONG} = 1 }}", "line 1, column 7"),
            (f"b = {{c = 1, {LONG} = 1 }}", "line 1, column 13"),
            ("[" + " . ".join(["'a'"] * PARTS) + "]", "line 1, column 2"),
        ],
    )
    def test_is_refused_with_its_place(self, text: str, place: str) -> None:
        with pytest.raises(tomllib.TOMLDecodeError, match=rf"more than 32 parts \(at {place}\)"):
            parse_toml(text)


class TestTheSearchForIt:
    @pytest.mark.timeout(120)
    @pytest.mark.parametrize(
        "text",
        ["," * 500_000, ",'" * 250_000, ',"x' * 200_000, "[" * 500_000, "{ " * 250_000, "a." * 250_000],
    )
    def test_takes_no_time_that_grows_with_the_square_of_a_text(self, text: str) -> None:
        with pytest.raises((tomllib.TOMLDecodeError, RecursionError)):
            parse_toml(f"a = [{text}")
