"""Specifies what variables in a compose file become: a value, and a template that still names them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.compose.env_file import LONGEST_SUM, names_in
from devinit.sources.interpolation import (
    LONGEST_VALUE,
    Unreadable,
    expanded,
    missing,
    pieces_of,
    template,
)

NAMES = {"A": "a", "EMPTY": "", "B": "b"}


def value(text: str) -> str:
    return expanded(pieces_of(text), NAMES)


class TestAValue:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("plain", "plain"),
            ("$A-${B}", "a-b"),
            ("$$A $$", "$A $"),
            ("a $ b$", "a $ b$"),
            ("${NONE}", ""),
            ("${NONE:-x}", "x"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${NONE-x}", "x"),
            ("${A:+x}", "x"),
            ("${EMPTY:+x}", ""),
            ("${EMPTY+x}", "x"),
            ("${NONE+x}", ""),
            ("${A:?needed}", "a"),
            ("${NONE:-${B:-x}}", "b"),
            ("${NONE:-${NIL:-x}-y}z", "x-yz"),
            ("${NONE:-a:b/c$$}", "a:b/c$"),
            ("${NONE:-}", ""),
        ],
    )
    def test_is_what_compose_makes_of_it(self, text: str, expected: str) -> None:
        assert value(text) == expected

    @pytest.mark.parametrize("text", ["${", "${A", "${A:-x", "${1}", "${}", "${A:=x}", "${A:-${B}"])
    def test_is_unreadable_when_a_variable_is_not_closed_or_not_known(self, text: str) -> None:
        with pytest.raises(Unreadable):
            value(text)

    def test_is_unreadable_when_variables_multiply_it(self) -> None:
        names = {"A": "x" * 1_000}

        with pytest.raises(Unreadable, match=f"more than {LONGEST_VALUE:,} characters"):
            expanded(pieces_of("$A" * 9), names)

    def test_is_unreadable_with_defaults_within_many_defaults(self) -> None:
        with pytest.raises(Unreadable, match="within each other"):
            value("${A:-" * 50 + "}" * 50)

    @given(st.text(alphabet="$${}:-?+AB \n", max_size=40))
    def test_raises_nothing_else(self, text: str) -> None:
        try:
            value(text)
        except Unreadable:
            return


class TestATemplate:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("plain $$x", "plain $$x"),
            ("${A}/x", "${A:-}/x"),
            ("${A:-d}", "${A:-d}"),
            ("${A:-${B}}", "${A:-${B:-}}"),
            ("${A:+x}", "x"),
            ("${A:?why}", "${A:-}"),
            ("${EMPTY-x}", "${EMPTY:-}"),
        ],
    )
    def test_names_the_variables(self, text: str, expected: str) -> None:
        assert template(pieces_of(text), NAMES) == expected


class TestARequiredVariable:
    def test_is_named_when_it_has_no_value(self) -> None:
        assert missing(pieces_of("x${A:?a}${NONE:?b}"), NAMES) == "NONE"

    def test_is_not_missing_when_it_has_one(self) -> None:
        assert missing(pieces_of("${A:?a}${NONE:-x}"), NAMES) is None


class TestAnEnvFile:
    def test_gives_names_with_their_values(self) -> None:
        text = "# c\nA=1\nexport B = two # why\nC='$A'\nD=\"${A}#x\"\nE=${A}/$B\nF=\nG=x#y\n-\nH"

        assert names_in(text) == {
            "A": "1", "B": "two", "C": "$A", "D": "1#x", "E": "1/two", "F": "", "G": "x#y",
        }  # fmt: skip

    def test_that_multiplies_its_values_is_bounded(self) -> None:
        text = f"A={'x' * 7_000}\n" + "".join(f"B{n}=$A\n" for n in range(2_000))

        assert sum(map(len, names_in(text).values())) <= LONGEST_SUM

    @given(st.text(max_size=200))
    def test_of_any_text_raises_nothing(self, text: str) -> None:
        names_in(text)
