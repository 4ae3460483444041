"""Specifies `devinit.cli.arguments`: a plain command line means the same with and without its parser."""

from __future__ import annotations

import pytest

from devinit.cli.arguments import Arguments, is_plain, module_of, parser_of, read

PLAIN = [
    [],
    ["all"],
    ["backend", "-d"],
    ["--json", "backend", "frontend"],
    ["--force", "--detach"],
]


class TestAPlainCommandLine:
    @pytest.mark.parametrize("command", ["start", "restart"])
    @pytest.mark.parametrize("words", PLAIN, ids=" ".join)
    def test_means_what_the_parser_makes_of_it(self, command: str, words: list[str]) -> None:
        module = module_of(command)

        plain = read(module, command, words, None)

        parsed = parser_of(module, command).read(words, Arguments())
        assert {name: getattr(parsed, name) for name in vars(plain)} == vars(plain)
        assert vars(parsed).keys() <= vars(plain).keys()

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("stop", []),
            ("stop", ["backend", "--force"]),
            ("stop", ["--all", "--json"]),
            ("logs", []),
            ("logs", ["-f", "backend", "-t"]),
            ("logs", ["--path", "--json"]),
            ("why", ["backend"]),
            ("why", ["--json", "backend"]),
        ],
    )
    def test_of_other_quick_commands_as_well(self, command: str, words: list[str]) -> None:
        module = module_of(command)
        assert is_plain(module, words)

        plain = read(module, command, words, None)

        parsed = parser_of(module, command).read(words, Arguments())
        assert {name: getattr(parsed, name) for name in vars(plain)} == vars(plain)
        assert vars(parsed).keys() <= vars(plain).keys()

    @pytest.mark.parametrize("words", [[], ["--json"], ["backend", "frontend"]])
    def test_of_a_command_that_needs_one_name_is_left_to_the_parser_with_any_other_number(
        self, words: list[str]
    ) -> None:
        assert not is_plain(module_of("why"), words)

    @pytest.mark.parametrize(
        "words", [["--timeout", "3"], ["--profile=ci"], ["-C", "elsewhere"], ["-h"], ["--bogus"]]
    )
    def test_is_left_to_the_parser_when_there_is_more_to_it(self, words: list[str]) -> None:
        assert not is_plain(module_of("start"), words)
