"""Specifies what of a log is shown to a person who answers its prompts."""

from __future__ import annotations

from devinit.cli.attached.output import Output


class TestALineThatWasAnswered:
    def test_is_shown_without_its_prompt_which_the_terminal_has_echoed(self) -> None:
        output = Output()
        output.take([], "(Pdb) ")

        output.answer()

        assert output.take(["(Pdb) 42"], "(Pdb) ") == ["42"]
        assert output.prompt == "(Pdb) "

    def test_is_not_asked_again_while_the_program_goes_on(self) -> None:
        output = Output()
        output.take([], "(Pdb) ")

        output.answer()

        assert output.take([], "(Pdb) ") == []
        assert output.prompt == ""

    def test_leaves_the_next_prompt_on_the_same_line(self) -> None:
        output = Output()
        output.take([], "Name? ")

        output.answer()
        output.take([], "Name? Age? ")

        assert output.prompt == "Age? "
        output.answer()
        assert output.take(["Name? Age? thanks"], "") == ["thanks"]

    def test_is_not_shown_as_an_empty_one_when_nothing_follows_on_it(self) -> None:
        output = Output()
        output.take([], "(Pdb) ")

        output.answer()

        assert output.take(["(Pdb) ", "next"], "") == ["next"]

    def test_is_shown_whole_when_it_was_printed_over(self) -> None:
        output = Output()
        output.take([], "10 %")

        output.answer()

        assert output.take(["100 %"], "") == ["100 %"]


class TestALineThatWasNotAnswered:
    def test_is_shown_whole(self) -> None:
        output = Output()
        output.take([], "half")

        assert output.take(["half a line", ""], "") == ["half a line", ""]


class TestAPrompt:
    def test_asks_for_a_password_after_the_warning_of_getpass(self) -> None:
        output = Output()

        output.take(["Warning: Password input may be echoed."], "Geheim: ")

        assert output.asks_for is not None
        assert output.asks_for.kind == "password"

    def test_is_recognised_in_colours(self) -> None:
        output = Output()

        output.take([], "\x1b[22;32mipdb> \x1b[0m")

        assert output.asks_for is not None
        assert output.asks_for.kind == "debugger"
