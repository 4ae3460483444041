"""Specifies `devinit.system.spawning`."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec, RunAs
from devinit.system.processes import spawn

if TYPE_CHECKING:
    from tests.system.conftest import Launcher, Unprivileged


def program(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


def refusal(start: Launcher, *argv: str, path: str = "/usr/bin:/bin") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        start(*argv, environment={"PATH": path})
    return caught.value


def refusal_of(spec: ProcessSpec) -> str:
    silent = os.open(os.devnull, os.O_RDWR)
    with pytest.raises(ServiceError) as caught:
        spawn(spec, output=silent, stdin=silent, keep=())
    return caught.value.message


class TestASpawnedProcess:
    def test_has_exactly_the_environment_that_it_was_given(self, start: Launcher) -> None:
        started = start("/usr/bin/env", environment={"A": "1", "EMPTY": ""})

        assert sorted(started.rest().splitlines()) == ["A=1", "EMPTY="]

    def test_runs_in_its_directory(self, start: Launcher, tmp_path: Path) -> None:
        assert start("pwd", "-P", directory=tmp_path).line() == str(tmp_path.resolve())

    def test_leads_a_session_of_its_own(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert os.getsid(started.pid) == started.pid

    def test_writes_errors_and_output_into_the_same_place(self, start: Launcher) -> None:
        assert start.sh("echo out; echo err >&2").rest() == "out\nerr\n"

    def test_inherits_the_descriptors_to_keep_and_no_others(self, start: Launcher) -> None:
        kept, other = os.pipe()
        os.set_inheritable(other, True)  # noqa: FBT003 -- its only form
        try:
            started = start("ls", "-l", "/proc/self/fd", keep=(kept,))
            targets = [line.partition(" -> ")[2] for line in started.rest().splitlines() if " -> " in line]
        finally:
            os.close(kept)
            os.close(other)

        # The pipe of output and errors, twice, the one to keep, the input; and the folder that ls reads.
        assert len([target for target in targets if target.startswith("pipe:")]) == 3
        assert len(targets) == 5


class TestTheProgram:
    def test_is_found_on_the_path_of_the_process_not_on_ours(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "serve", "#!/bin/sh\necho mine")

        assert start("serve", environment={"PATH": str(tmp_path / "bin")}).line() == "mine"

    def test_is_found_on_a_path_relative_to_the_process(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "node_modules" / ".bin" / "serve", "#!/bin/sh\necho mine")

        assert start("serve", environment={"PATH": "node_modules/.bin"}).line() == "mine"

    def test_is_found_relative_to_the_directory_of_the_process(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "backend" / "serve.sh", "#!/bin/sh\necho mine")

        assert start("./serve.sh", directory=tmp_path / "backend").line() == "mine"

    def test_passes_over_one_that_is_not_executable(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "a" / "serve", "").chmod(0o644)
        program(tmp_path / "b" / "serve", "#!/bin/sh\necho mine")

        assert start("serve", environment={"PATH": f"{tmp_path}/a:{tmp_path}/b"}).line() == "mine"

    def test_is_told_the_name_by_which_it_was_called(self, start: Launcher) -> None:
        assert start("sh", "-c", "echo $0").line() == "sh"


class TestAProcessThatCannotBeStarted:
    def test_says_where_its_command_was_searched(self, start: Launcher) -> None:
        error = refusal(start, "uvicorn-that-is-not-there", path="/usr/bin:/bin")

        assert error.message == "command not found: uvicorn-that-is-not-there"
        assert error.hint == "searched: /usr/bin, /bin"

    def test_guesses_a_command_that_was_misspelt(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "uvicorn", "")

        error = refusal(start, "uvicron", path=str(tmp_path))

        assert error.hint == f"did you mean uvicorn? searched: {tmp_path}"

    def test_names_a_script_that_is_missing(self, start: Launcher, tmp_path: Path) -> None:
        error = refusal(start, "./serve.sh")

        assert (error.message, error.hint) == ("command not found: ./serve.sh", f"searched: {tmp_path}")

    def test_names_a_program_that_is_not_executable(self, start: Launcher, tmp_path: Path) -> None:
        script = program(tmp_path / "serve", "#!/bin/sh\n")
        script.chmod(0o644)

        by_name = refusal(start, "serve", path=str(tmp_path))
        by_path = refusal(start, "./serve")

        assert by_name.message == by_path.message == f"{script} is not executable"
        assert by_name.hint == by_path.hint == f"chmod +x {script}"

    def test_names_a_directory_that_was_meant_as_command(self, start: Launcher, tmp_path: Path) -> None:
        assert refusal(start, "./").message == f"./ is a directory, not a command ({tmp_path})"

    def test_names_a_directory_that_does_not_exist(self, start: Launcher, tmp_path: Path) -> None:
        with pytest.raises(ServiceError, match="backend does not exist") as caught:
            start("true", directory=tmp_path / "backend")

        assert caught.value.hint == "create it, or correct `directory`"

    def test_names_an_interpreter_that_does_not_exist(self, start: Launcher, tmp_path: Path) -> None:
        script = program(tmp_path / "uvicorn", "#!/moved/.venv/bin/python\n")

        error = refusal(start, "./uvicorn")

        assert error.message == f"{script} names an interpreter that does not exist: /moved/.venv/bin/python"
        assert error.hint == "a virtual environment that was moved or copied must be made again"

    def test_sees_a_carriage_return_after_the_interpreter(self, start: Launcher, tmp_path: Path) -> None:
        program(tmp_path / "serve.sh", "#!/bin/sh\r\necho\r\n")

        error = refusal(start, "./serve.sh")

        assert error.hint is not None
        assert "serve.sh has Windows line ends (CRLF)" in error.hint

    def test_says_what_a_function_of_an_interactive_shell_is(self, start: Launcher) -> None:
        error = refusal(start, "nvm", "use", "20")

        assert error.message == "command not found: nvm"
        assert error.hint is not None
        assert error.hint.startswith("`nvm` is a function of your interactive shell")

    def test_says_what_a_script_without_an_interpreter_lacks(self, start: Launcher, tmp_path: Path) -> None:
        script = program(tmp_path / "serve.sh", "echo\n")

        assert (
            refusal(start, "./serve.sh").hint == f"if it is a shell script, start it with #!/bin/sh: {script}"
        )

    def test_says_that_its_environment_is_too_large(self, start: Launcher) -> None:
        with pytest.raises(ServiceError, match=r"too large \(200\d\d\d bytes of environment\)"):
            start("true", environment={"PATH": "/bin:/usr/bin", "HUGE": "x" * 200_000})

    def test_names_the_largest_value_then(self, start: Launcher) -> None:
        with pytest.raises(ServiceError) as refused:
            start("true", environment={"PATH": "/bin:/usr/bin", "HUGE": "x" * 200_000})

        assert "that of HUGE, 200000" in str(refused.value.hint)

    def test_says_that_a_value_is_impossible(self, start: Launcher) -> None:
        assert refusal(start, "true", "a\0b").message == "true cannot be started: embedded null byte"

    def test_says_that_the_command_is_empty(self, start: Launcher) -> None:
        assert refusal(start).message == "the command is empty"

    def test_says_that_the_system_has_no_room_for_processes(
        self, unprivileged: Unprivileged, shared_folder: Path
    ) -> None:
        def attempt() -> str:
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            return refusal_of(ProcessSpec(argv=("/bin/true",), directory=shared_folder, environment={}))

        assert unprivileged(attempt).startswith(
            "/bin/true cannot be started: the system has no room for another process"
        )

    def test_says_that_descriptors_ran_out(self, unprivileged: Unprivileged, shared_folder: Path) -> None:
        def attempt() -> str:
            spec = ProcessSpec(argv=("/bin/true",), directory=shared_folder, environment={})
            silent = os.open(os.devnull, os.O_RDWR)
            resource.setrlimit(resource.RLIMIT_NOFILE, (silent + 1, silent + 1))
            with pytest.raises(ServiceError) as caught:
                spawn(spec, output=silent, stdin=silent)
            return caught.value.message

        assert "there are no file descriptors left" in unprivileged(attempt)

    def test_says_that_only_root_may_become_another_user(
        self, unprivileged: Unprivileged, shared_folder: Path
    ) -> None:
        spec = ProcessSpec(
            argv=("/bin/true",), directory=shared_folder, environment={}, run_as=RunAs(uid=1, gid=1)
        )

        message = unprivileged(lambda: refusal_of(spec))

        assert message.startswith("/bin/true cannot be started: it may not be started as user ")

    def test_leaves_no_descriptor_open(self, start: Launcher) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))

        refusal(start, "nothing-of-this-name")

        assert len(list(Path("/proc/self/fd").iterdir())) == before
