"""Specifies how a place in a file becomes the command of an editor."""

from __future__ import annotations

import pytest

from devinit.dashboard.editor import Command, chosen_editor, command_for


@pytest.mark.parametrize(
    ("editor", "words", "needs_terminal"),
    [
        ("vim", ("vim", "+13", "/a b.py"), True),
        ("/usr/bin/nvim -p", ("/usr/bin/nvim", "-p", "+13", "/a b.py"), True),
        ("nano", ("nano", "+13", "/a b.py"), True),
        ("hx", ("hx", "/a b.py:13:2"), True),
        ("code --wait", ("code", "--wait", "-g", "/a b.py:13:2"), False),
        ("'/opt/My Editors/subl'", ("/opt/My Editors/subl", "/a b.py:13:2"), False),
        ("pycharm", ("pycharm", "--line", "13", "/a b.py"), False),
        ("unknown", ("unknown", "/a b.py"), True),
        ("vim; rm -rf /", ("vim;", "rm", "-rf", "/", "/a b.py"), True),
    ],
)
def test_each_editor_gets_the_line_in_its_own_form(
    editor: str, words: tuple[str, ...], needs_terminal: bool
) -> None:
    assert command_for(editor, "/a b.py", 13, 2) == Command(words, needs_terminal)


@pytest.mark.parametrize("editor", ["", "vim 'no end"])
def test_what_is_no_command_line_opens_nothing(editor: str) -> None:
    assert command_for(editor, "/a.py", 1) is None


def test_a_path_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert command_for("code", "/{line}.py", 3) == Command(
        ("code", "-g", "/{line}.py:3:1"), needs_terminal=False
    )


def test_visual_counts_before_editor() -> None:
    assert chosen_editor({"VISUAL": " code ", "EDITOR": "vi"}) == "code"
    assert chosen_editor({"VISUAL": "", "EDITOR": "vi"}) == "vi"
    assert chosen_editor({}) == ""
