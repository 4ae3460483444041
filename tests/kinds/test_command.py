"""Specifies `devinit.kinds.command`: command lines become processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devinit.errors import ConfigError
from devinit.kinds.command import arguments, command_spec, with_project_tools
from devinit.kinds.providers import Place
from devinit.model.service import Service

PLAIN = [
    ("uvicorn app.main:app --reload --port 8000", ("uvicorn", "app.main:app", "--reload", "--port", "8000")),
    (
        "npm run dev -- --port 3000 --strictPort",
        ("npm", "run", "dev", "--", "--port", "3000", "--strictPort"),
    ),
    ("python -c 'import a; print(1 > 0)'", ("python", "-c", "import a; print(1 > 0)")),
    ('python -c "a and b; c"', ("python", "-c", "a and b; c")),
    (r"./my\ server --name=x=y", ("./my server", "--name=x=y")),
    ("celery -A app worker -l info -Q a,b", ("celery", "-A", "app", "worker", "-l", "info", "-Q", "a,b")),
    ("flask run --host=::1", ("flask", "run", "--host=::1")),
    ("serve '~' \"it's\" --tag v1.0@x%", ("serve", "~", "it's", "--tag", "v1.0@x%")),
]
FOR_THE_SHELL = [
    "cd web && npm start",
    "a | b",
    "a; b",
    "a & b",
    "a > log",
    'echo "$HOME"',
    "echo $HOME",
    "echo `date`",
    "echo $(date)",
    "ls *.py",
    "ls a?c",
    "ls [ab]",
    "serve ~/site",
    "serve --root=~/site",
    "DEBUG=1 uvicorn app:app",
    "source .venv/bin/activate",
    "export A",
    "! false",
    "{ a; }",
    "if true; then a; fi",
    "a # why",
    "a\nb",
    'a "b\\"c"',
]
REPLACES_THE_SHELL = [
    ("DEBUG=1 uvicorn app:app", "DEBUG=1 exec uvicorn app:app"),
    ("A='x y' B=\"$C\" ./run.sh $D", "A='x y' B=\"$C\" exec ./run.sh $D"),
    ("serve $ROOT 2>&1", "exec serve $ROOT 2>&1"),
    ("serve > log", "exec serve > log"),
    ("ls 'a;b' *", "exec ls 'a;b' *"),
]
STAYS_AS_IT_IS = [
    "a && b",
    "a | b",
    "a; b",
    "a & wait",
    "(a *)",
    "cd $X",
    "A=1",
    "A=$(date) serve",
    "A=`date` serve",
    "$PROGRAM --flag",
    "serve\nother",
    '"$PROGRAM" x',
]


class TestACommandWithoutShellSyntax:
    @pytest.mark.parametrize(("command", "expected"), PLAIN)
    def test_is_executed_directly(self, command: str, expected: tuple[str, ...]) -> None:
        assert arguments(command) == expected

    @pytest.mark.parametrize(("command", "_expected"), [case for case in PLAIN if case[0][0] != "."])
    def test_has_the_words_that_sh_would_give_it(self, command: str, _expected: tuple[str, ...]) -> None:
        program, _, rest = command.partition(" ")

        said = subprocess.run(
            ["sh", "-c", f"printf '%s\\0' {program} {rest}"], capture_output=True, text=True, check=True
        )

        assert tuple(said.stdout.rstrip("\0").split("\0")) == arguments(command)


class TestACommandWithShellSyntax:
    @pytest.mark.parametrize("command", FOR_THE_SHELL)
    def test_is_given_to_sh(self, command: str) -> None:
        assert arguments(command)[:2] == ("sh", "-c")

    @pytest.mark.parametrize(("command", "script"), REPLACES_THE_SHELL)
    def test_replaces_the_shell_when_it_is_one_simple_command(self, command: str, script: str) -> None:
        assert arguments(command) == ("sh", "-c", script)

    @pytest.mark.parametrize("command", STAYS_AS_IT_IS)
    def test_is_left_as_it_is_otherwise(self, command: str) -> None:
        assert arguments(command) == ("sh", "-c", command)

    def test_keeps_the_pid_of_the_shell(self) -> None:
        said = subprocess.run(
            arguments("A=1 python3 -c 'import os; print(os.environ[\"A\"], os.getppid())' $NOTHING"),
            capture_output=True,
            text=True,
            check=True,
        )

        assert said.stdout.split() == ["1", str(os.getpid())]


class TestACommandThatCannotBeParsed:
    def test_is_refused_with_the_name_of_its_key(self) -> None:
        with pytest.raises(
            ConfigError, match=r"services\.web\.command: .* cannot be parsed: no closing quotation"
        ):
            arguments("echo 'a", key="services.web.command")

    @pytest.mark.parametrize("command", ["", "   ", "\n"])
    def test_is_refused_when_there_is_nothing_in_it(self, command: str) -> None:
        with pytest.raises(ConfigError, match="command is empty"):
            arguments(command)


class TestToolsOfTheProject:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(project="shop", root=tmp_path, data=tmp_path / ".devinit/data", environment={})

    def test_are_found_first_the_services_own_before_the_checkouts(self, place: Place) -> None:
        backend = place.root / "backend"
        for folder in ("backend/.venv/bin", "backend/node_modules/.bin", "venv/bin", "node_modules/.bin"):
            (place.root / folder).mkdir(parents=True)

        environment = with_project_tools({"PATH": "/usr/bin", "PYTHONHOME": "/x"}, backend, place)

        assert environment["PATH"].split(":") == [
            str(place.root / folder)
            for folder in ("backend/.venv/bin", "backend/node_modules/.bin", "venv/bin", "node_modules/.bin")
        ] + ["/usr/bin"]
        assert environment["VIRTUAL_ENV"] == str(backend / ".venv")
        assert "PYTHONHOME" not in environment

    def test_are_found_in_the_folders_between_the_service_and_the_checkout(self, place: Place) -> None:
        for folder in ("node_modules/.bin", "apps/api/.venv/bin", "apps/api/src"):
            (place.root / folder).mkdir(parents=True)

        environment = with_project_tools({"PATH": "/usr/bin"}, place.root / "apps/api/src", place)

        assert environment["PATH"].split(":") == [
            str(place.root / "apps/api/.venv/bin"),
            str(place.root / "node_modules/.bin"),
            "/usr/bin",
        ]

    def test_are_found_in_an_environment_of_any_name(self, place: Place) -> None:
        (place.root / "hc-venv/bin").mkdir(parents=True)
        (place.root / "hc-venv/pyvenv.cfg").touch()

        environment = with_project_tools({"PATH": "/usr/bin"}, place.root, place)

        assert environment["PATH"] == f"{place.root / 'hc-venv/bin'}:/usr/bin"
        assert environment["VIRTUAL_ENV"] == str(place.root / "hc-venv")

    def test_are_those_of_the_usual_environment_where_there_are_two(self, place: Place) -> None:
        for name in ("a-venv", "venv"):
            (place.root / name / "bin").mkdir(parents=True)
            (place.root / name / "pyvenv.cfg").touch()

        environment = with_project_tools({"PATH": "/usr/bin"}, place.root, place)

        assert environment["VIRTUAL_ENV"] == str(place.root / "venv")

    def test_leave_the_environment_alone_where_there_are_none(self, place: Place) -> None:
        environment = with_project_tools({"PATH": "/usr/bin", "VIRTUAL_ENV": "/mine"}, place.root, place)

        assert environment == {"PATH": "/usr/bin", "VIRTUAL_ENV": "/mine", "PYTHONUNBUFFERED": "1"}

    def test_are_named_once_when_the_service_runs_in_the_root(self, place: Place) -> None:
        (place.root / ".venv/bin").mkdir(parents=True)

        environment = with_project_tools({"PATH": "/usr/bin"}, place.root, place)

        assert environment["PATH"] == f"{place.root / '.venv/bin'}:/usr/bin"

    def test_are_asked_for_colours_only_when_somebody_sees_them(self, tmp_path: Path) -> None:
        place = Place(project="shop", root=tmp_path, data=tmp_path, environment={}, color=True)

        assert with_project_tools({}, tmp_path, place)["FORCE_COLOR"] == "1"
        assert "FORCE_COLOR" not in with_project_tools({"NO_COLOR": "1"}, tmp_path, place)
        assert with_project_tools({"FORCE_COLOR": "0"}, tmp_path, place)["FORCE_COLOR"] == "0"

    def test_in_a_hidden_environment_are_not_found_even_where_the_shell_of_the_caller_has_it(
        self, place: Place
    ) -> None:
        tools = place.root / ".venv" / "bin"
        tools.mkdir(parents=True)
        service = Service(name="web", directory=place.root)
        active = {"PATH": f"{tools}:/usr/bin", "VIRTUAL_ENV": str(tools.parent)}

        spec = command_spec("sh setup.sh", service, place, active, hidden=(".venv",))

        assert spec.environment == {"PATH": "/usr/bin", "PYTHONUNBUFFERED": "1"}
