"""Specifies [tasks.NAME] of devinit.toml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.initial import initial_toml
from devinit.config.names_stated import tasks_stated
from devinit.model.service import Project

Loaded = Callable[..., Project]
Refused = Callable[..., str]
Write = Callable[..., Path]

BACKEND = '[services.backend]\ncommand = "serve"\n'


class TestATask:
    def test_has_a_command_or_several_one_after_the_other(self, loaded: Loaded) -> None:
        tasks = loaded(
            f'{BACKEND}[tasks.lint]\ncommand = "ruff check ."\n'
            '[tasks.check]\ncommand = ["ruff check .", "mypy"]\ndescription = "Look for mistakes"\n'
        ).tasks

        assert tasks["lint"].commands == ("ruff check .",)
        assert tasks["check"].commands == ("ruff check .", "mypy")
        assert tasks["check"].description == "Look for mistakes"

    def test_runs_in_the_projects_folder_in_another_one_or_as_a_service(
        self, loaded: Loaded, root: Path
    ) -> None:
        (root / "web").mkdir()

        tasks = loaded(
            f'{BACKEND}[tasks.a]\ncommand = "x"\n[tasks.b]\ncommand = "x"\ndirectory = "web"\n'
            '[tasks.c]\ncommand = "x"\nservice = "backend"\n'
        ).tasks

        assert (tasks["a"].directory, tasks["b"].directory) == (root, root / "web")
        assert (tasks["b"].service, tasks["c"].service) == (None, "backend")

    def test_has_a_label_a_key_and_a_question_in_the_dashboard(self, loaded: Loaded) -> None:
        tasks = loaded(
            '[tasks.a]\ncommand = "x"\nlabel = "Reset the database"\nkey = "d"\nconfirm = "All data goes."\n'
            '[tasks.b]\ncommand = "x"\nconfirm = true\n[tasks.c]\ncommand = "x"\nconfirm = false\n'
        ).tasks

        assert (tasks["a"].title, tasks["a"].key) == ("Reset the database", "d")
        assert [tasks[name].confirm for name in "abc"] == ["All data goes.", "", None]
        assert tasks["b"].title == "b"

    def test_may_have_a_name_with_a_colon(self, loaded: Loaded) -> None:
        assert list(loaded('[tasks."db:seed"]\ncommand = "x"').tasks) == ["db:seed"]

    def test_may_be_only_what_it_depends_on(self, loaded: Loaded) -> None:
        text = '[tasks.lint]\ncommand = "x"\n[tasks.check]\ndepends_on = "lint"\n'

        assert loaded(text).tasks["check"].depends_on == ("lint",)

    def test_is_another_one_in_a_profile(self, loaded: Loaded) -> None:
        text = '[tasks.lint]\ncommand = "x"\n[profiles.ci.tasks.lint]\ncommand = "y"\n'

        assert loaded(text, profile="ci").tasks["lint"].commands == ("y",)

    def test_does_not_wait_for_a_service_that_is_left_out(self, loaded: Loaded, write: Write) -> None:
        text = f'{BACKEND}[tasks.a]\ncommand = "x"\ndepends_on = ["backend"]\n[profiles.bare]\nservices.backend = false\n'

        assert loaded(text, profile="bare").tasks["a"].depends_on == ()

    def test_is_kept_when_a_project_is_written_down(self, loaded: Loaded, root: Path) -> None:
        (root / "web").mkdir()
        project = loaded(
            f'{BACKEND}[project]\nname = "shop"\ndetect = false\n[tasks."db:seed"]\ncommand = ["x \\"y\\"", "z"]\n'
            'directory = "web"\ndepends_on = ["backend", "a"]\n'
            '[tasks.a]\ncommand = "x"\nservice = "backend"\ndescription = "Ä"\nlabel = "The A"\nkey = "a"\n'
            'confirm = true\n[tasks.b]\ncommand = "x"\nconfirm = "All data goes."\n'
        )

        assert loaded(initial_toml(project)).tasks == project.tasks


class TestATaskThatIsWrong:
    @pytest.mark.parametrize(
        ("table", "said"),
        [
            ("", "tasks.t.command: missing"),
            ('command = " "', "tasks.t.command: an empty command"),
            ('command = "say \'it"', 'tasks.t.command: "say \'it" cannot be parsed: no closing quotation'),
            (
                'command = "x"\nservice = "backnd"',
                'tasks.t.service: there is no service "backnd" (did you mean "backend"?)',
            ),
            (
                'command = "x"\ndepends_on = ["backnd"]',
                'tasks.t.depends_on: there is no service and no task "backnd" (did you mean "backend"?)',
            ),
            ('command = "x"\ndirectory = "nowhere"', "tasks.t.directory: "),
            (
                'command = "x"\nservice = "backend"\ndirectory = "."',
                "tasks.t.directory: means nothing beside",
            ),
            ('command = "x"\ndepends_on = ["t"]', "tasks.t.depends_on: tasks wait for each other: t → t"),
            ('command = "x"\nkey = "ab"', "tasks.t.key: not a key for a task (one letter or digit)"),
            (
                'command = "x"\nkey = "a"\n[tasks.u]\ncommand = "x"\nkey = "a"',
                'tasks.u.key: "a" is the key of t as well',
            ),
            ('command = "x"\n[actions.u]\ncommand = "x"', "actions: unknown key (an action is a task"),
            ('cmd = "x"', "tasks.t.cmd: unknown key (devinit calls it `command`)"),
            ('command = "x"\ndeps = ["a"]', "tasks.t.deps: unknown key (devinit calls it `depends_on`)"),
        ],
    )
    def test_is_refused_with_its_key(self, refused: Refused, table: str, said: str) -> None:
        assert said in refused(f"{BACKEND}[tasks.t]\n{table}\n")

    @pytest.mark.parametrize("name", ["-x", "a b", "$(touch harmed)", "", "ä", "x" * 41])
    def test_has_no_name_that_a_shell_or_a_person_may_misread(self, refused: Refused, name: str) -> None:
        assert "not a name for a task" in refused(f'{BACKEND}[tasks."{name}"]\ncommand = "x"\n')


class TestTheNamesThatAFileStates:
    def test_are_those_of_all_profiles(self, write: Write, root: Path) -> None:
        write("devinit.toml", "[tasks.a]\n[profiles.ci.tasks.b]\n[profiles.odd]\ntasks = 3\n")

        assert tasks_stated(root) == ["a", "b"]

    @pytest.mark.parametrize("text", ["[", "tasks = 1", "[tasks]\n'$(x)' = 1", ""])
    def test_are_none_where_the_file_says_nothing_that_can_be_typed(
        self, write: Write, root: Path, text: str
    ) -> None:
        write("devinit.toml", text)

        assert tasks_stated(root) == []
