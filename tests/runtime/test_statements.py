from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from dotenv.variables import parse_variables
from hypothesis import example, given
from hypothesis import strategies as st

from devinit.errors import ConfigError
from devinit.runtime.dotenv import read_env_file, read_env_files
from devinit.runtime.statements import MOST_LINES, MOST_SPACES, replaced, statements_of

KNOWN = {"A": "1", "AB": "two", "": "empty", "${A": "odd", "$": "sign"}
LONG = 200_000


def as_python_dotenv_replaces(value: str, known: Mapping[str, str]) -> str:
    return "".join(atom.resolve(known) for atom in parse_variables(value))


class TestAReference:
    @given(value=st.lists(st.sampled_from(["${", "$", "{", "}", ":", "-", ":-", "A", "B", " "])).map("".join))
    @example(value="${A${A}")
    @example(value="${A:x}${A}")
    @example(value="${A:-${AB}}")
    @example(value="${A}${:-b}${}")
    @example(value="${A:-")
    def test_is_replaced_as_by_python_dotenv(self, value: str) -> None:
        assert "".join(replaced(value, KNOWN)) == as_python_dotenv_replaces(value, KNOWN)

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("value", ["${" * LONG, "${:-" * LONG, "${a:x" * LONG + "}", "}" + "${:-" * LONG])
    def test_that_is_none_is_recognised_at_once(self, value: str) -> None:
        assert "".join(replaced(value, {})) == value


class TestAHostileFile:
    @pytest.mark.timeout(120)
    def test_with_endless_white_space_is_refused_with_its_line(self, tmp_path: Path) -> None:
        text = f"A=1\n\nB=x{' ' * 2 * LONG}y\n"

        with pytest.raises(ConfigError, match=rf"line 3: more than {MOST_SPACES} spaces or tabs in a row"):
            read_env_file(tmp_path / ".env", caller={}, text=text)

    @pytest.mark.timeout(120)
    def test_with_as_much_white_space_as_is_accepted_is_read(self) -> None:
        value = ("y" + " " * MOST_SPACES) * 4000 + "z"

        assert statements_of(f"A={value}").values == (("A", value, 1),)

    @pytest.mark.timeout(120)
    def test_of_ever_more_lines_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=rf"line {MOST_LINES}: more than 50,000 lines"):
            read_env_file(tmp_path / ".env", caller={}, text="A=1\n" * 5 * MOST_LINES)

    @pytest.mark.timeout(120)
    def test_with_one_endless_line_that_is_wrong_is_refused_in_few_words(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="line 1: cannot read") as refused:
            read_env_file(tmp_path / ".env", caller={}, text="a:b@" * LONG + " x")

        assert len(refused.value.message) < 1000

    @pytest.mark.timeout(120)
    def test_whose_lines_each_name_a_long_value_is_refused_with_the_line_that_is_too_much(
        self, tmp_path: Path
    ) -> None:
        text = f"A={'x' * 120_000}\n\n" + "".join(f"B{number}=${{A}}\n" for number in range(6000))

        with pytest.raises(ConfigError, match=r"line 19: B16: .* more than 2,097,152 characters"):
            read_env_file(tmp_path / ".env", caller={}, text=text)

    @pytest.mark.timeout(120)
    def test_is_refused_together_with_the_files_before_it(self, tmp_path: Path) -> None:
        files = [tmp_path / f"{number}.env" for number in range(18)]
        for number, path in enumerate(files):
            path.write_text(f"A{number}={'x' * 120_000}\n")

        assert len(read_env_files(files[:17], caller={})) == 17
        with pytest.raises(ConfigError, match=r"17\.env, line 1: A17: .* more than 2,097,152 characters"):
            read_env_files(files, caller={})
