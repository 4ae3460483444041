from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinit.errors import ConfigError
from devinit.runtime.templates import expand_command, expand_together

NAMES = {
    "BACKEND_URL": "http://localhost:8001",
    "PORT": "8001",
    "EMPTY": "",
    "TWO": "two words",
    "NASTY": '\'; id "$PORT" `\\',
}


def expand(template: str, names: Mapping[str, str] = NAMES) -> str:
    """Return the value of the variable X of a project that has no other."""
    return expand_together({"X": template}, names, key="environment")["X"]


class TestATemplate:
    @pytest.mark.parametrize(
        ("template", "value"),
        [
            ("plain", "plain"),
            ("${BACKEND_URL}/api/v1", "http://localhost:8001/api/v1"),
            ("${PORT}${PORT}", "80018001"),
            ("${MISSING:-3000}", "3000"),
            ("${EMPTY:-3000}", "3000"),
            ("${EMPTY}", ""),
            ("${PORT:-3000}", "8001"),
            ("${MISSING:-}", ""),
            ("${MISSING:-${PORT}}", "8001"),
            ("${MISSING:-$$x}", "$x"),
            ("$${PORT}", "${PORT}"),
            ("$$$${PORT}", "$${PORT}"),
            ("a}b", "a}b"),
        ],
    )
    def test_is_filled_in_with_the_values_of_the_names(self, template: str, value: str) -> None:
        assert expand(template) == value

    @pytest.mark.parametrize("template", ["$PORT", "100$", "$(id)", "a $ b"])
    def test_leaves_a_dollar_alone_that_begins_no_reference(self, template: str) -> None:
        assert expand(template) == template

    def test_is_not_filled_in_twice(self) -> None:
        assert expand("${A}", {"A": "${B}", "B": "b"}) == "${B}"


class TestATemplateThatCannotBeFilledIn:
    def test_is_refused_with_its_key_and_the_nearest_name(self) -> None:
        with pytest.raises(ConfigError, match=r"^environment\.X: \$\{BACKEND_ULR\} is not known") as refused:
            expand("${BACKEND_ULR}/v1")

        assert refused.value.hint == "did you mean ${BACKEND_URL}?"

    def test_finds_the_nearest_name_in_another_case(self) -> None:
        with pytest.raises(ConfigError) as refused:
            expand("${backend_url}")

        assert refused.value.hint == "did you mean ${BACKEND_URL}?"

    def test_says_where_the_names_are_when_none_is_near(self) -> None:
        with pytest.raises(ConfigError) as refused:
            expand("${SOMETHING_ELSE}")

        assert refused.value.hint
        assert "devinit env" in refused.value.hint

    def test_needs_no_name_of_a_default_that_is_not_used(self) -> None:
        assert expand("${PORT:-${MISSING}}") == "8001"

    @pytest.mark.parametrize(
        "template", ["${", "${}", "${PORT", "${1A}", "${A-b}", "${A:?}", "${A%x}", "${ A }", "${A:-${B}"]
    )
    def test_is_refused_when_it_is_written_otherwise(self, template: str) -> None:
        with pytest.raises(ConfigError, match=r"^environment\.X: cannot read ") as refused:
            expand(template)

        assert refused.value.hint == "write ${NAME} or ${NAME:-default}; $$ is a plain $"


class TestTemplatesThatReferToEachOther:
    def test_are_filled_in_whatever_their_order(self) -> None:
        templates = {"A": "${B}a", "B": "${C}b", "C": "${PORT}c"}

        assert expand_together(templates, NAMES, key="environment") == {
            "A": "8001cba",
            "B": "8001cb",
            "C": "8001c",
        }

    def test_win_over_the_name_around_them(self) -> None:
        assert expand_together({"PORT": "1", "A": "${PORT}"}, NAMES, key="environment")["A"] == "1"

    def test_add_to_the_value_around_them_by_their_own_name(self) -> None:
        assert expand_together({"PORT": "${PORT}1"}, NAMES, key="environment") == {"PORT": "80011"}

    def test_are_refused_in_a_circle(self) -> None:
        with pytest.raises(ConfigError, match=r"^environment: B → C → B refer to each other"):
            expand_together({"A": "${B}", "B": "${C}", "C": "${B:-x}"}, {"B": "outer"}, key="environment")

    def test_are_refused_when_one_means_only_itself(self) -> None:
        with pytest.raises(ConfigError, match=r"^environment\.A: \$\{A\} refers to itself"):
            expand_together({"A": "${A}"}, NAMES, key="environment")

    def test_are_refused_when_they_double_until_no_memory_is_left(self) -> None:
        doubling = {f"A{n}": f"${{A{n - 1}}}${{A{n - 1}}}" if n else "x" * 50 for n in range(60)}

        with pytest.raises(ConfigError, match=r"env\.A12 has more than 131071 characters"):
            expand_together(doubling, {}, key="env")

    def test_are_refused_when_each_of_many_names_a_long_value(self) -> None:
        templates = {f"B{number}": "${A}" for number in range(6000)}

        with pytest.raises(ConfigError, match=r"^environment\.B17: .* more than 2,097,152 characters"):
            expand_together(templates, {"A": "x" * 120_000}, key="environment")

    def test_are_refused_when_thousands_refer_to_each_other_in_a_row(self) -> None:
        row = {f"A{n}": f"${{A{n + 1}}}" for n in range(5000)}

        with pytest.raises(ConfigError, match=r"env\.A50 has more than 50 references within each other"):
            expand_together({**row, "A5000": "x"}, {}, key="env")

    def test_are_named_by_the_key_that_has_the_error(self) -> None:
        with pytest.raises(ConfigError, match=r"^services\.web\.env\.B: \$\{BAKCEND\} is not known"):
            expand_together({"A": "${B}", "B": "${BAKCEND}"}, NAMES, key="services.web.env")


class TestDefaultsWithinDefaults:
    def test_are_refused_by_the_thousands(self) -> None:
        with pytest.raises(
            ConfigError, match=r"environment\.X has more than 50 references within each other"
        ):
            expand("${A:-" * 50_000 + "}" * 50_000, {})

    def test_may_be_some(self) -> None:
        assert expand("${A:-" * 50 + "x" + "}" * 50, {}) == "x"


class TestACommand:
    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("uvicorn --port ${PORT}", ["uvicorn", "--port", "8001"]),
            ("run --port=${PORT}", ["run", "--port=8001"]),
            ("run ${TWO}", ["run", "two", "words"]),
            ('run "${TWO}"', ["run", "two words"]),
            ('run "<${TWO}>"', ["run", "<two words>"]),
            ("run '<${TWO}>'", ["run", "<two words>"]),
            ("run ${EMPTY} end", ["run", "end"]),
            ('run "${EMPTY}" end', ["run", "", "end"]),
            ('run "${NASTY}"', ["run", NAMES["NASTY"]]),
            ("run '${NASTY}'", ["run", NAMES["NASTY"]]),
            ('run "\\"${NASTY}"', ["run", '"' + NAMES["NASTY"]]),
            ("run it\\'s ${PORT}", ["run", "it's", "8001"]),
            ("run ${MISSING:-a b}", ["run", "a", "b"]),
        ],
    )
    def test_is_filled_in_so_that_a_value_is_never_syntax(self, command: str, words: list[str]) -> None:
        filled = expand_command(command, NAMES)

        assert shlex.split(filled) == words
        assert words_of_shell(filled) == words

    @settings(max_examples=100, deadline=None)
    @given(
        value=st.text(st.sampled_from("ab '\"\\$`;&|\n\t*~#{}()é"), max_size=12),
        quote=st.sampled_from(["", "'", '"']),
    )
    def test_passes_on_any_value_as_a_shell_would_have(self, value: str, quote: str) -> None:
        filled = expand_command(f"run x {quote}${{V}}{quote} y", {"V": value})

        expected = ["run", "x", *([value] if quote else value.split()), "y"]
        assert shlex.split(filled) == expected
        assert words_of_shell(filled) == expected

    def test_keeps_a_reference_that_is_escaped_for_the_shell(self) -> None:
        assert expand_command("echo \\${PORT}", NAMES) == "echo \\${PORT}"

    def test_keeps_the_variables_of_its_shell(self) -> None:
        assert (
            expand_command("for f in *; do echo $f $${f%x}; done", NAMES)
            == "for f in *; do echo $f ${f%x}; done"
        )

    def test_is_named_in_the_error(self) -> None:
        with pytest.raises(ConfigError, match=r"^services\.web\.command: \$\{PROT\} is not known"):
            expand_command("run ${PROT}", NAMES, key="services.web.command")


def words_of_shell(command: str) -> list[str]:
    # The words are printed, not run.
    script = f'words() {{ for word; do printf "%s\\0" "$word"; done; }}; words {command}'
    done = subprocess.run(["sh", "-fc", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]
