"""Specifies `devinit.supervisor.project.project_state`: what a service is given, as things stand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from dotenv import parser

from devinit.errors import ConfigError, StateFileError
from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.processes.pid_files import remove_pid_file, write_pid_file
from devinit.supervisor.project.given import LARGE_FILE, wants_color
from devinit.supervisor.project.project_state import ProjectState
from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    return path


@pytest.fixture
def stage(root: Path) -> ProjectState:
    return ProjectState(root, Broadcaster())


def web(root: Path, **fields: object) -> Service:
    port = PortRequest(service="web", preferred=8000, first=8000, last=8099)
    return Service(name="web", directory=root, port=port, command="serve", **fields)  # type: ignore[arg-type]  # as given


def project(root: Path, service: Service, **fields: object) -> Project:
    return Project(name="shop", root=root, services={"web": service}, **fields)  # type: ignore[arg-type]  # as given


class TestTheEnvironmentOfAService:
    def test_is_the_callers_then_the_files_then_the_runtime_then_its_own(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / ".env").write_text("A=file\nB=file\nC=file\nD=file\nWEB_URL=http://localhost:8002\n")
        (root / "more.env").write_text("B=more\nC=more\nD=more\n")
        service = web(root, env_file=(root / "more.env",), env={"D": "own"})

        stage.configure(project(root, service, environment={"C": "runtime"}), {"A": "caller", "E": "caller"})

        values = stage.environment_of(service)
        assert {name: values[name] for name in "ABCDE"} == {
            "A": "file",
            "B": "more",
            "C": "runtime",
            "D": "own",
            "E": "caller",
        }
        assert values["WEB_URL"] == "http://localhost:8000"
        assert values["PORT"] == "8000"

    def test_carries_the_mark_by_which_its_processes_are_found(self, root: Path, stage: ProjectState) -> None:
        service = web(root)
        stage.configure(project(root, service), {"DEVINIT_RUN": "another/service"})

        values = stage.environment_of(service)

        assert values["DEVINIT_RUN"] == stage.marker("web")
        assert "/web@" in stage.marker("web")

    def test_is_that_of_the_services_other_commands_too(self, root: Path, stage: ProjectState) -> None:
        service = web(root, env={"DSN": "postgres://x"})
        stage.configure(project(root, service), {"PATH": "/bin"})

        spec = stage.command_spec(service, "migrate --to ${DSN}", "before_start")

        assert spec.argv == ("migrate", "--to", "postgres://x")
        assert spec.environment["DSN"] == "postgres://x"

    def test_names_the_key_of_a_variable_that_is_not_known(self, root: Path, stage: ProjectState) -> None:
        service = web(root)
        stage.configure(project(root, service), {})

        with pytest.raises(ConfigError, match=r"services\.web\.before_start: \$\{NOPE\} is not known"):
            stage.command_spec(service, "migrate ${NOPE}", "before_start")

    def test_is_refused_when_its_commands_would_be_longer_than_any_program_can_be_given(
        self, root: Path, stage: ProjectState
    ) -> None:
        service = web(root, setup=("make ${A}",) * 1000, env={"A": "x" * 120_000})
        stage.configure(project(root, service), {})

        with pytest.raises(ConfigError, match=r"^services\.web\.setup: .* more than 2,097,152 characters"):
            stage.check(service)


class TestAConfiguration:
    def test_that_cannot_be_expanded_leaves_everything_as_it_was(
        self, root: Path, stage: ProjectState
    ) -> None:
        before = project(root, web(root))
        stage.configure(before, {})
        broken = project(root, web(root), environment={"X": "${NOPE}"})

        with pytest.raises(ConfigError, match=r"\$\{NOPE\} is not known"):
            stage.configure(broken, {"NEW": "caller"})

        assert stage.project is before
        assert stage.caller == {}
        assert stage.endpoint("web").port == 8000

    def test_uses_the_ports_that_are_remembered(self, root: Path, stage: ProjectState) -> None:
        (root / ".ports.json").write_text('{"web": 8005}')

        stage.configure(project(root, web(root)), {})

        assert stage.environment["WEB_PORT"] == "8005"

    def test_is_refused_with_a_ports_file_that_cannot_be_read(self, root: Path, stage: ProjectState) -> None:
        (root / ".ports.json").write_text("{")

        with pytest.raises(StateFileError, match=r"\.ports\.json is not JSON"):
            stage.configure(project(root, web(root)), {})

    def test_that_is_broken_does_not_keep_from_adopting_what_runs(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / ".ports.json").write_text("{")
        recorded = project(root, web(root))

        stage.configure_for_adoption(project(root, web(root), environment={"X": "${NOPE}"}), recorded, {})

        assert stage.project is recorded
        assert stage.endpoint("web").port == 8000

    def test_that_is_published_can_be_read_by_its_owner_only(self, root: Path, stage: ProjectState) -> None:
        stage.configure(project(root, web(root)), {})

        assert stage.publish()
        assert not stage.publish()

        assert "WEB_PORT=8000" in (root / ".env.runtime").read_text()
        assert (root / ".env.runtime").stat().st_mode & 0o777 == 0o600


class TestAPidFile:
    def test_tells_the_pid_and_goes_away(self, root: Path, stage: ProjectState) -> None:
        path = state_of(root) / "pids" / "web.pid"

        write_pid_file(stage.private, "web", 42)
        assert path.read_text() == "42\n"

        remove_pid_file(stage.private, "web")
        assert not path.exists()

    def test_that_cannot_be_written_harms_nobody(self, root: Path, stage: ProjectState) -> None:
        (state_of(root) / "pids").touch()

        write_pid_file(stage.private, "web", 42)
        remove_pid_file(stage.private, "web")


class TestColours:
    @pytest.mark.parametrize(
        ("caller", "wanted"),
        [
            ({"TERM": "xterm-256color"}, True),
            ({"TERM": "xterm", "NO_COLOR": "1"}, False),
            ({"TERM": "dumb"}, False),
            ({}, False),
        ],
    )
    def test_are_for_a_caller_with_a_terminal_that_shows_them(
        self, caller: dict[str, str], *, wanted: bool
    ) -> None:
        assert wants_color(caller) is wanted


class TestALongEnvFile:
    async def test_is_parsed_in_a_thread_before_a_service_is_given_it(
        self, root: Path, stage: ProjectState, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (root / ".env").write_text("".join(f"A{number}=long\n" for number in range(LARGE_FILE // 10)))
        service = web(root)
        parsed_in = []
        parse = parser.parse_stream

        def noted(text: StringIO) -> Iterator[parser.Binding]:
            parsed_in.append(threading.current_thread())
            return parse(text)

        monkeypatch.setattr(parser, "parse_stream", noted)

        await stage.given.read_ahead([service])
        stage.configure(project(root, service), {})

        assert stage.environment_of(service)["A1"] == "long"
        assert [thread is threading.main_thread() for thread in parsed_in] == [False]
