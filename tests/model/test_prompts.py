"""Specifies what the unfinished last line of a program asks for."""

from __future__ import annotations

import pytest

from devinit.model.prompts import LONGEST, UNHIDDEN, prompt_in


class TestTheLastLine:
    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("(Pdb) ", "debugger"),
            ("(Pdb++) ", "debugger"),
            ("ipdb> ", "debugger"),
            ("(byebug) ", "debugger"),
            ("(rdbg) ", "debugger"),
            ("(rdbg@web#4711) ", "debugger"),
            ("debug> ", "debugger"),
            (">>> ", "shell"),
            ("In [12]: ", "shell"),
            ("irb(main):001> ", "shell"),
            ("[1] pry(main)> ", "shell"),
            ("Password: ", "password"),
            ("Password for 'https://ada@example.com': ", "password"),
            ("Enter passphrase for key '/home/ada/.ssh/id_ed25519': ", "password"),
            ("Proceed? [Y/n] ", "question"),
            ("Overwrite? [y/N]: ", "question"),
            ("Are you sure? (yes/no) ", "question"),
            ("Which one? ", "question"),
            ("Name: ", "other"),
            ("....", "other"),
        ],
    )
    def test_is_of_a_kind(self, line: str, kind: str) -> None:
        prompt = prompt_in(line)

        assert prompt is not None
        assert prompt == (line.strip(), kind)

    @pytest.mark.parametrize("line", ["", "   ", "\t"])
    def test_without_words_asks_for_nothing(self, line: str) -> None:
        assert prompt_in(line) is None

    def test_names_a_debugger_without_the_answers_before_it(self) -> None:
        prompt = prompt_in("(Pdb) 42 (Pdb) ")

        assert prompt is not None
        assert prompt.text == "(Pdb)"

    def test_asks_for_a_password_behind_the_warning_of_getpass_in_any_language(self) -> None:
        prompt = prompt_in("Passwort: ", before=UNHIDDEN)

        assert prompt is not None
        assert prompt.kind == "password"

    def test_is_shown_by_its_end_when_it_is_long(self) -> None:
        prompt = prompt_in("x" * 200 + " overwrite it? ")

        assert prompt is not None
        assert len(prompt.text) == LONGEST
        assert prompt.text.endswith("overwrite it?")
