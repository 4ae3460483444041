"""Every hint that says "set X" or "run Y" has a test in which following it helps, or a reason why it has none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = re.compile(r"(?:^|[;:,]\s|\b(?:and|or|then) |`devinit )(?:set|run|export) [^ ]")
"""A hint begins so, or goes on so."""
NO_HINTS = frozenset(
    {
        "show, set and reset the services",  # summaries of commands, and help of an option
        "run a task, or a command in the",
        "run a command as a service runs",
        "run `setup` also where nothing",
        "run when lock files have changed",  # descriptions of keys
        "Commands by name: `devinit run NAME`",
        "# Commands that `devinit run NAME` runs",
        "set for it, and obeyed",
        "further databases on the same server",
        "export {}={}",  # what is written for shells, here and in exports
        "export {} && ",
        "export format",
        "devinit: run {}",  # a task of VS Code
        "choose a task of devinit.toml and run",  # what a key does
        "what then happens. `devinit run NAME`",  # description of a key of devinit.toml
    }
)
FOLLOWED = {
    "`devinit run -- sh -c": "tests/faults/test_hints.py::test_a_line_that_is_no_program_is_run_by_a_shell",
    "`devinit run -- printenv {}` prints": "tests/cli/test_commands.py::test_of_a_variable_is_printed_by_what_the_hint_says",
    "`devinit run --list --json`": "tests/cli/test_tasks.py::test_is_the_same_for_programs",
    "`devinit run --list` takes no name": "tests/cli/test_tasks.py::test_has_tasks_and_suggestions",
    "`devinit run {}` runs {}": "tests/cli/test_tasks.py::test_that_two_files_have_is_refused_until_one_is_named",
    "no tasks: [tasks.NAME] with": "tests/cli/test_tasks.py::test_runs_its_commands_with_the_arguments_behind_the_last",
    "`devinit export {}{}` writes it": "tests/cli/test_export.py::test_of_an_outdated_file_names_the_command_that_writes_it",
    "it follows debug ports that move": "tests/cli/test_export.py::test_follows_a_debug_port_that_moves",
    "worktrees get new slots": "tests/faults/test_hints.py::test_slots_that_cannot_be_read_are_moved_away",
    "what still runs is found by its ports": "tests/faults/test_hints.py::test_a_record_that_cannot_be_read_is_moved_away",
    "it starts a supervisor that takes": "tests/faults/test_hints.py::test_an_order_whose_supervisor_went_away_is_given_again",
    "which works from here, and then start": "tests/faults/test_containers.py::test_that_can_be_reached_starts_nothing_for_other_loopback_addresses",
    "there the project can be started here": "tests/faults/test_containers.py::test_takes_over_nothing_that_listens_on_other_addresses",
    "without sudo; or, if only root": "tests/control/test_ownership.py::test_starts_there_once_it_has_said_that_it_means_to",
    "or let it run by itself": "tests/faults/test_hints.py::test_packages_that_are_not_installed_are_installed",
    "run `{}`, and start again": "tests/kinds/test_missing_tools.py::test_is_there_once_what_brings_it_has_run",
    "run `{}`{}{}": "tests/kinds/test_versions.py::test_fits_once_what_helps_has_run",
    "or set the port that its code": "tests/faults/test_hints.py::test_a_fixed_port_that_is_in_the_code_is_set_in_the_configuration",
    "if the checkout is yours, remove": "tests/faults/test_hints.py::test_in_the_checkout_is_removed",
    "kill -INT {}": "tests/supervisor/test_old_layout.py::test_is_not_copied_to_another_disk",
    "to a folder of your own that you can": "tests/system/test_permissions.py::test_in_a_temporary_folder_that_is_closed_names_the_variable_that_helps",
    "remove it, or set XDG_RUNTIME_DIR": "tests/faults/test_hints.py::test_a_folder_that_others_may_enter_is_removed_or_another_one_is_set",
    "set {} to a folder of your own": "tests/system/test_paths.py::test_of_another_user_is_passed_by_where_the_way_out_is_taken",
    "set XDG_RUNTIME_DIR to a folder of": "tests/system/test_paths.py::test_of_another_user_is_passed_by_where_the_way_out_is_taken",
    "set XDG_STATE_HOME to a folder of": "tests/faults/test_hints.py::test_of_records_is_replaced_by_one_that_a_variable_names",
    "move one of them away, and run": "tests/supervisor/test_earlier_version.py::test_is_chosen_by_the_command_that_the_refusal_names",
    "set VISUAL or EDITOR, then start": "tests/dashboard/test_taking_out.py::test_to_a_place_opens_in_the_editor",
    "set `container_port`": "tests/kinds/docker/test_containers.py::test_names_the_port_on_which_the_program_listens_instead",
    "run devinit as uid": "tests/system/test_permissions.py::test_is_told_as_whom_it_works",
    "run devinit as an ordinary user": "tests/system/test_permissions.py::test_is_told_which_right_another_user_s_server_needs",
}
"""Words of a hint, and the test in which it is followed."""
NOT_FOLLOWED = {
    "run the command as that user": "the other user's project is looked after there, and by nobody here",
    "run this as the user who started": "as above",
    "run the command as {}: sudo -u": "as above",
    "run devinit as that user": "as above",
    "run the command there": "it is the command that was tried, where it works",
    "run `devinit stop` where that server": "the same words as for every service in a container, which are followed",
    "run the command again when it has": "a supervisor is leaving: the same command a moment later",
    "run the command again in a moment": "as above",
    "run the command again if the machine": "as above, on a machine that is busy",
    "then run the command again": "what to end depends on why another command is stuck",
    "run the command again; if that does": "a supervisor of an earlier version, which is not here",
    "set services.{}.command": "the configuration refuses it before",
    "set `command`": "as above",
    "set it in the `env` of the": "another name, or another place: tests/runtime/test_dotenv.py says which texts those are",
    "set XDG_STATE_HOME to a local disk": "no file system without locks can be mounted here",
}
"""Words of a hint, and why no test follows it."""
KNOWN = {**FOLLOWED, **NOT_FOLLOWED}


def text_of(node: ast.expr) -> str:
    """Return a text as it stands in the code; `{}` for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(text_of, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
    return "{}"


def texts_in(tree: ast.AST) -> Iterator[str]:
    """Yield the whole texts in a program, without its docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant):
            yield text_of(node)
        else:
            yield from texts_in(node)


@pytest.fixture(scope="module")
def orders() -> frozenset[str]:
    """Each text of the code that says what to do; read when it is needed, not while tests are collected."""
    return frozenset(
        text
        for path in (ROOT / "devinit").rglob("*.py")
        for text in texts_in(ast.parse(path.read_text()))
        if ORDER.search(text)
    )


def test_a_hint_is_followed_in_a_test_or_says_why_not(orders: frozenset[str]) -> None:
    hints = {text for text in orders if not any(words in text for words in NO_HINTS)}

    assert {hint for hint in hints if not any(words in hint for words in KNOWN)} == set()


def test_what_is_listed_is_still_said(orders: frozenset[str]) -> None:
    listed = {*KNOWN, *NO_HINTS}

    assert {words for words in listed if not any(words in text for text in orders)} == set()


@pytest.mark.parametrize("place", FOLLOWED.values())
def test_the_test_that_follows_it_is_there(place: str) -> None:
    path, _, name = place.partition("::")

    assert f"def {name}(" in (ROOT / path).read_text()
