"""Specifies `devinit.sources.procfile.lines`: what foreman reads as a process, and by which name it is a service."""

from __future__ import annotations

import re

import pytest

from devinit.config.services import LONGEST_NAME
from devinit.config.tables import SERVICE_NAME
from devinit.sources.commands.process import Process
from devinit.sources.procfile.lines import MOST_PROCESSES, processes


def found(text: str) -> dict[str, str]:
    """Return the commands of the processes, by the names of their services."""
    return {each.service: each.command for each in processes(text, "Procfile") if isinstance(each, Process)}


def problems(text: str) -> list[tuple[int, str]]:
    """Return the lines that are no process, each with the reason."""
    return [each for each in processes(text, "Procfile") if not isinstance(each, Process)]


class TestALine:
    def test_is_a_name_and_a_command(self) -> None:
        assert found("web: bin/rails server -p 3000\nworker:bundle exec sidekiq  \n") == {
            "web": "bin/rails server -p 3000",
            "worker": "bundle exec sidekiq",
        }

    def test_has_its_number_and_its_place_among_the_processes(self) -> None:
        text = "# for development\n\nweb: a\r\n  # more\nworker: b\n"

        assert [
            (each.line, each.index) for each in processes(text, "Procfile") if isinstance(each, Process)
        ] == [
            (3, 0),
            (5, 1),
        ]
        assert problems(text) == []

    @pytest.mark.parametrize(
        "line", ["web", "web a", " web: a", "we b: a", "web:", "web:   ", "=a: b", "café: x"]
    )
    def test_of_another_form_is_named(self, line: str) -> None:
        assert found(line) == {}
        assert problems(line) == [(1, "passed over, because it is no `NAME: COMMAND`")]

    def test_with_a_name_of_a_line_above_is_left_out(self) -> None:
        assert found("web: a\nweb: b") == {"web": "a"}
        assert problems("web: a\nweb: b") == [
            (2, "web is left out: there is another process of this name above")
        ]

    @pytest.mark.parametrize(
        ("command", "problem"),
        [
            ("echo 'x", "its command cannot be parsed: no closing quotation"),
            ("echo \x1b[2J", "its command has control characters"),
            ("echo \u202e", "its command has control characters"),
            ("echo " + "x" * 2_000, "its command has more than 2,000 characters"),
        ],
    )
    def test_that_cannot_be_run_is_left_out(self, command: str, problem: str) -> None:
        assert found(f"web: {command}") == {}
        assert problems(f"web: {command}") == [(1, f"web is left out: {problem}")]

    def test_of_a_file_without_end_is_not_read(self) -> None:
        text = "".join(f"p{number}: x\n" for number in range(100_000))

        assert len(found(text)) == MOST_PROCESSES
        assert len(problems(text)) == 1


class TestAName:
    @pytest.mark.parametrize(
        ("name", "service"),
        [
            ("web", "web"),
            ("css_watch", "css_watch"),
            ("Web", "web"),
            ("2nd-worker", "nd-worker"),
            ("_", "process"),
            ("all", "process-all"),
            ("x" * 50, "x" * 40),
        ],
    )
    def test_becomes_one_that_a_service_may_have(self, name: str, service: str) -> None:
        assert list(found(f"{name}: run")) == [service]

    @pytest.mark.parametrize(
        ("names", "services"),
        [
            (("web", "Web"), ["web", "web-2"]),
            (("a-b", "a_b"), ["a-b", "a_b-2"]),
            (("1", "2", "3"), ["process", "process-2", "process-3"]),
            (("x" * 41, "x" * 42), ["x" * 40, "x" * 38 + "-2"]),
        ],
    )
    def test_is_no_other_services_and_neither_are_its_variables(
        self, names: tuple[str, ...], services: list[str]
    ) -> None:
        assert list(found("".join(f"{name}: run\n" for name in names))) == services

    @pytest.mark.parametrize("name", ["Web", "-", "9", "ALL", "A" * 99, "__a", "a--b"])
    def test_is_one_that_devinit_toml_takes(self, name: str) -> None:
        [service] = found(f"{name}: run")

        assert re.fullmatch(SERVICE_NAME, service)
        assert len(service) <= LONGEST_NAME
        assert service != "all"
