"""Specifies `devinit.supervisor.service.preparing`: set-up when something changed, one-shot commands each time."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from devinit.errors import PreparationFailed, ServiceError
from devinit.kinds.provider import Install
from devinit.model.process import ProcessSpec
from devinit.model.service import Service
from devinit.supervisor.files import setup_inputs
from devinit.supervisor.logs import log_files
from devinit.supervisor.logs.keeper import LogKeeper
from devinit.supervisor.service import preparing
from devinit.supervisor.service.preparing import (
    Workshop,
    changed_packages,
    require_set_up,
    run_command,
    run_one_shots,
    set_up,
)
from devinit.system.processes import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.supervisor.conftest import Until

MARKER = "test-preparing/web"


class Bench:
    """A workshop, and what happened in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.private = root / "shop", root / "private"
        self.root.mkdir()
        self.private.mkdir()
        self.directory, self.inputs = self.root, tuple[str, ...]()
        self.lacks: Install | None = None
        self.looks_whole = False
        """Whether nothing is missing as long as there is an environment, even a half-made one."""
        self.outdated: Install | None = None
        self.said: list[str] = []
        self.offsets: list[int] = []

    def workshop(self, *, setup: tuple[str, ...] = (), before_start: tuple[str, ...] = ()) -> Workshop:
        service = Service(
            name="web",
            directory=self.directory,
            setup=setup,
            setup_inputs=self.inputs,
            before_start=before_start,
        )
        return Workshop(
            service=service,
            root=self.root,
            install=lambda: None if self.looks_whole and (self.root / ".venv").exists() else self.lacks,
            update=lambda: self.outdated,
            spec=self.spec,
            private=self.private,
            logs=LogKeeper(self.private),
            marker=MARKER,
            say=self.said.append,
            began=self.offsets.append,
        )

    def spec(self, command: str, _key: str, hidden: tuple[str, ...]) -> ProcessSpec:
        environment = {"PATH": os.environ["PATH"], "DEVINIT_RUN": MARKER, "HIDDEN": " ".join(hidden)}
        return ProcessSpec(argv=("/bin/sh", "-c", command), directory=self.directory, environment=environment)

    def move_to(self, folder: str) -> None:
        """Let the service's folder be one below the project's."""
        self.directory = self.root / folder
        self.directory.mkdir(parents=True)

    def runs(self) -> int:
        """Return how often `echo run >> runs` ran."""
        path = self.directory / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def log(self) -> str:
        return log_files.log_path(self.private, "web").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


COUNT = "echo run >> runs"


class TestSetUp:
    async def test_runs_once(self, bench: Bench) -> None:
        workshop = bench.workshop(setup=(COUNT,))

        await set_up(workshop)
        await set_up(workshop)

        assert bench.runs() == 1
        assert bench.said == [f"setting up: {COUNT}"]

    @pytest.mark.parametrize(
        "name",
        [
            "uv.lock", "package-lock.json", "requirements.txt", "pyproject.toml", "composer.lock", "go.mod",
            "go.sum", "pom.xml", "build.gradle", "build.gradle.kts", "mix.lock", "deno.lock", "Gemfile.lock",
        ],
    )  # fmt: skip
    async def test_runs_again_after_a_lock_file_changed(self, bench: Bench, name: str) -> None:
        (bench.root / name).write_text("one")
        workshop = bench.workshop(setup=(COUNT,))
        await set_up(workshop)

        (bench.root / name).write_text("two")
        await set_up(workshop)

        assert bench.runs() == 2

    @pytest.mark.parametrize("top", ["git", "no git"])
    @pytest.mark.parametrize("name", ["pnpm-lock.yaml", "uv.lock", "Cargo.lock", "go.work.sum", "pom.xml"])
    async def test_runs_again_after_the_lock_file_of_its_workspace_changed(
        self, bench: Bench, top: str, name: str
    ) -> None:
        if top == "git":
            (bench.root / ".git").mkdir()
            (bench.root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        bench.move_to("apps/a")
        (bench.root / name).write_text("one")
        await set_up(bench.workshop(setup=(COUNT,)))

        (bench.root / name).write_text("two")
        await set_up(bench.workshop(setup=(COUNT,)))

        assert bench.runs() == 2

    async def test_knows_the_workspace_above_the_project_in_the_same_repository(self, bench: Bench) -> None:
        bench.move_to("apps/a")
        (bench.root / ".git").write_text("gitdir: elsewhere\n")
        workspace, bench.root = bench.root, bench.directory
        await set_up(bench.workshop(setup=(COUNT,)))

        (workspace / "yarn.lock").write_text("new")
        await set_up(bench.workshop(setup=(COUNT,)))

        assert bench.runs() == 2

    async def test_does_not_run_again_for_what_lies_above_the_repository_or_project(
        self, bench: Bench
    ) -> None:
        bench.move_to("apps/a")
        await set_up(bench.workshop(setup=(COUNT,)))

        (bench.root.parent / "package-lock.json").write_text("of another project")
        (bench.root / "package.json").write_text("of the workspace's scripts")
        await set_up(bench.workshop(setup=(COUNT,)))

        assert bench.runs() == 1

    @pytest.mark.parametrize(
        ("pattern", "changed"),
        [
            ("codegen.yml", "codegen.yml"),
            ("schema/**/*.graphql", "schema/shop/item.graphql"),
            ("../shared/schema.json", "../shared/schema.json"),
        ],
    )
    async def test_runs_again_after_a_file_changed_that_setup_inputs_names(
        self, bench: Bench, pattern: str, changed: str
    ) -> None:
        bench.move_to("a")
        bench.inputs = (pattern,)
        await set_up(bench.workshop(setup=(COUNT,)))

        (bench.directory / changed).parent.mkdir(parents=True, exist_ok=True)
        (bench.directory / changed).write_text("new")
        await set_up(bench.workshop(setup=(COUNT,)))
        await set_up(bench.workshop(setup=(COUNT,)))

        assert bench.runs() == 2

    async def test_names_at_most_so_many_files_and_says_so(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (preparing, setup_inputs):
            monkeypatch.setattr(module, "MOST_FILES", 3)
        for number in range(5):
            (bench.directory / f"{number}.graphql").touch()
        bench.inputs = ("*.graphql",)

        await set_up(bench.workshop(setup=(COUNT,)))

        assert len(dict(setup_inputs.inputs_of(bench.workshop().service, bench.root))) == 3
        assert "setup depends on 3 files or more: of setup_inputs, only the first 3 count" in bench.said

    async def test_runs_again_after_its_commands_changed(self, bench: Bench) -> None:
        await set_up(bench.workshop(setup=(COUNT,)))

        await set_up(bench.workshop(setup=(COUNT, "true")))

        assert bench.runs() == 2

    @pytest.mark.parametrize("product", [".venv", "venv", "node_modules"])
    async def test_runs_again_after_what_it_made_has_vanished(self, bench: Bench, product: str) -> None:
        workshop = bench.workshop(setup=(COUNT, f"mkdir -p {product}"))
        await set_up(workshop)
        await set_up(workshop)

        (bench.root / product).rmdir()
        await set_up(workshop)

        assert bench.runs() == 2

    async def test_does_not_run_again_for_a_file_of_the_application(self, bench: Bench) -> None:
        workshop = bench.workshop(setup=(COUNT,))
        await set_up(workshop)

        (bench.root / "main.py").write_text("print()")
        await set_up(workshop)

        assert bench.runs() == 1

    async def test_that_failed_is_told_with_what_the_package_manager_says(self, bench: Bench) -> None:
        pytest.importorskip("pip")  # not in an environment that uv made

        with pytest.raises(ServiceError) as caught:
            await set_up(bench.workshop(setup=(f"{sys.executable} -m pip install -r none.txt",)))

        assert caught.value.message.endswith(
            "exited with code 1: Could not open requirements file: [Errno 2] No such file or directory: 'none.txt'"
        )

    async def test_that_failed_runs_again(self, bench: Bench) -> None:
        workshop = bench.workshop(setup=(COUNT, "test -e allowed"))
        with pytest.raises(ServiceError):
            await set_up(workshop)
        (bench.root / "allowed").touch()

        await set_up(workshop)
        await set_up(workshop)

        assert bench.runs() == 2

    async def test_that_failed_runs_again_also_when_what_it_depends_on_is_as_it_was_before(
        self, bench: Bench
    ) -> None:
        lock = bench.root / "uv.lock"
        lock.write_text("good")
        workshop = bench.workshop(setup=(COUNT, "grep -q good uv.lock"))
        await set_up(workshop)
        lock.write_text("bad")
        with pytest.raises(ServiceError):
            await set_up(workshop)

        lock.write_text("good")
        await set_up(workshop)

        assert bench.runs() == 3

    async def test_runs_again_when_that_is_required(self, bench: Bench) -> None:
        workshop = bench.workshop(setup=(COUNT,))
        await set_up(workshop)

        require_set_up(bench.private, "web")
        await set_up(workshop)
        await set_up(workshop)

        assert bench.runs() == 2

    @pytest.mark.parametrize("comes_to", ["true", "false"])
    async def test_begins_without_the_virtual_environment_that_it_made_itself(
        self, bench: Bench, comes_to: str
    ) -> None:
        note = 'echo "hides $HIDDEN" >> notes'
        workshop = bench.workshop(setup=(f"{note}; mkdir -p .venv", note, comes_to))
        for _ in range(2):
            require_set_up(bench.private, "web")
            with suppress(ServiceError):
                await set_up(workshop)

        assert (bench.root / "notes").read_text().splitlines() == [
            "hides ",
            "hides ",
            "hides .venv",
            "hides ",
        ]

    async def test_finds_a_virtual_environment_that_was_there_before(self, bench: Bench) -> None:
        (bench.root / ".venv").mkdir()
        workshop = bench.workshop(setup=('echo "hides $HIDDEN" >> notes',))
        for _ in range(2):
            require_set_up(bench.private, "web")
            await set_up(workshop)

        assert (bench.root / "notes").read_text().splitlines() == ["hides ", "hides "]

    async def test_runs_again_when_its_memory_is_garbage(self, bench: Bench) -> None:
        workshop = bench.workshop(setup=(COUNT,))
        await set_up(workshop)
        (bench.private / "setup" / "web.json").write_text("{")

        await set_up(workshop)

        assert bench.runs() == 2

    async def test_of_nothing_leaves_no_trace(self, bench: Bench) -> None:
        await set_up(bench.workshop())

        assert list(bench.private.iterdir()) == []


class TestAOneShot:
    async def test_runs_each_time_in_order(self, bench: Bench) -> None:
        workshop = bench.workshop(before_start=(COUNT, "echo again >> runs"))

        await run_one_shots(workshop)
        await run_one_shots(workshop)

        assert (bench.root / "runs").read_text() == "run\nagain\n" * 2

    async def test_that_is_kept_back_does_not_run_and_the_others_do(self, bench: Bench) -> None:
        runs = bench.root / "runs"
        commands = (f"echo migrated >> '{runs}'", f"echo other >> '{runs}'")
        workshop = bench.workshop(before_start=commands)

        await run_one_shots(replace(workshop, is_kept_back=lambda command: "migrated" in command))

        assert runs.read_text() == "other\n"

    async def test_writes_into_the_log_of_its_service(self, bench: Bench) -> None:
        await run_one_shots(bench.workshop(before_start=("echo out; echo err >&2",)))

        assert "--- devinit: web before_start: echo out; echo err >&2 at " in bench.log()
        assert bench.log().endswith("out\nerr\n")

    async def test_that_fails_is_told_and_its_output_lies_where_it_was_said_to_begin(
        self, bench: Bench
    ) -> None:
        workshop = bench.workshop(before_start=("seq 30; exit 3", COUNT))

        with pytest.raises(ServiceError) as caught:
            await run_one_shots(workshop)

        assert caught.value.message == "before_start of web failed: `seq 30; exit 3` exited with code 3"
        # The last lines are told beside the reason, and not in it as well.
        assert caught.value.hint is None
        path = log_files.log_path(bench.private, "web")
        assert log_files.last_lines(path, bench.offsets[-1], 100) == [str(number) for number in range(1, 31)]
        assert bench.runs() == 0

    async def test_that_fails_silently_is_told_with_its_folder(self, bench: Bench) -> None:
        with pytest.raises(ServiceError) as caught:
            await run_one_shots(bench.workshop(before_start=("exit 1",)))

        assert caught.value.hint == f"it printed nothing; it ran in {bench.root}"

    async def test_reads_an_input_that_has_ended(self, bench: Bench) -> None:
        await run_one_shots(bench.workshop(before_start=("cat; echo end >> runs",)))

        assert bench.runs() == 1


class TestACommandThatIsCancelled:
    async def test_is_ended_with_what_it_started(self, bench: Bench, null: int, until: Until) -> None:
        running = asyncio.create_task(
            run_command(bench.workshop(), "sleep 1000 & touch began; wait", "setup", null)
        )
        began = bench.root / "began"
        await asyncio.to_thread(until, began.exists, began)

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert members_of(None, MARKER) == []

    async def test_leaves_the_service_itself_alone(self, bench: Bench, null: int, until: Until) -> None:
        service = asyncio.create_task(
            run_command(bench.workshop(), "touch up; exec sleep 1000", "command", null)
        )
        probe = asyncio.create_task(
            run_command(bench.workshop(), "touch began; exec sleep 1000", "ready", null)
        )
        up, began = bench.root / "up", bench.root / "began"
        await asyncio.to_thread(until, lambda: up.exists() and began.exists(), up, began)

        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe

        assert len(members_of(None, MARKER)) == 1
        service.cancel()
        with pytest.raises(asyncio.CancelledError):
            await service


@pytest.fixture
def null() -> Iterator[int]:
    """A descriptor for output that nobody reads."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


class TestAnInstallation:
    """Of what a service without `setup` lacks: `devinit start --setup` asks for it."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        bench = Bench(tmp_path)
        command = "mkdir -p .venv/bin && echo x >>tries && test -e index"
        bench.lacks = Install(folder=bench.root, command=command, missing="packages")
        return bench

    async def test_is_not_made_unasked(self, bench: Bench) -> None:
        await set_up(bench.workshop())

        assert not (bench.root / "tries").exists()

    async def test_that_broke_off_is_made_anew_when_it_is_asked_for_again(self, bench: Bench) -> None:
        require_set_up(bench.private, "web")
        with pytest.raises(PreparationFailed):
            await set_up(bench.workshop())
        (bench.root / "index").touch()
        half_made = bench.root / ".venv/half-made"
        half_made.touch()
        bench.looks_whole = True

        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\n"
        assert bench.said[-1].startswith("the last installation of its packages broke off")

        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\nx\n"
        assert not half_made.exists()

    async def test_that_broke_off_leaves_an_environment_alone_that_was_made_by_hand_since(
        self, bench: Bench
    ) -> None:
        require_set_up(bench.private, "web")
        with pytest.raises(PreparationFailed):
            await set_up(bench.workshop())
        (bench.root / ".venv").rename(bench.root / "former")
        by_hand = bench.root / ".venv/bin/uvicorn"
        by_hand.parent.mkdir(parents=True)
        by_hand.touch()
        bench.looks_whole = True

        for asked in (False, True):
            if asked:
                require_set_up(bench.private, "web")
            await set_up(bench.workshop())

        assert by_hand.exists()
        assert (bench.root / "tries").read_text() == "x\n"

    async def test_that_broke_off_leaves_an_environment_alone_that_was_there_before(
        self, bench: Bench
    ) -> None:
        by_hand = bench.root / ".venv/bin/uvicorn"
        by_hand.parent.mkdir(parents=True)
        by_hand.touch()
        for _ in range(2):
            require_set_up(bench.private, "web")
            with pytest.raises(PreparationFailed):
                await set_up(bench.workshop())

        assert by_hand.exists()

    async def test_that_broke_off_touches_no_folder_of_another_checkout(self, bench: Bench) -> None:
        require_set_up(bench.private, "web")
        with pytest.raises(PreparationFailed):
            await set_up(bench.workshop())
        (bench.root.parent / "moved").mkdir()
        moved = Bench(bench.root.parent / "moved")
        moved.root.rmdir()
        bench.root.rename(moved.root)
        shutil.copytree(bench.private, moved.private, dirs_exist_ok=True)
        precious = bench.root / ".venv/precious"
        precious.parent.mkdir(parents=True)
        precious.touch()
        (moved.root / "index").touch()
        command = "mkdir -p .venv/bin && echo x >>tries && test -e index"
        moved.lacks = Install(folder=moved.root, command=command, missing="packages")

        require_set_up(moved.private, "web")
        await set_up(moved.workshop())

        assert precious.exists()
        assert (moved.root / "tries").read_text() == "x\nx\n"

    async def test_is_made_again_when_what_it_read_has_changed_and_that_is_asked_for(
        self, bench: Bench
    ) -> None:
        requirements = bench.root / "requirements.txt"
        requirements.write_text("one\n")
        (bench.root / "index").touch()
        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        bench.lacks = None  # there is an environment now

        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\n"

        requirements.write_text("one\ntwo\n")
        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\n"
        assert changed_packages(bench.private, bench.workshop().service, bench.root) == ["requirements.txt"]

        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\nx\n"
        assert changed_packages(bench.private, bench.workshop().service, bench.root) == []

    async def test_is_made_again_for_an_environment_of_the_users_that_is_older_than_its_files(
        self, bench: Bench
    ) -> None:
        bench.outdated, bench.lacks = bench.lacks, None
        (bench.root / "index").touch()

        await set_up(bench.workshop())
        assert not (bench.root / "tries").exists()

        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        require_set_up(bench.private, "web")
        await set_up(bench.workshop())
        assert (bench.root / "tries").read_text() == "x\n"

    async def test_that_failed_is_made_as_it_would_be_now(self, bench: Bench) -> None:
        """The machine may have got what the first one lacked: another Python, the package manager itself."""
        require_set_up(bench.private, "web")
        with pytest.raises(PreparationFailed):
            await set_up(bench.workshop())
        bench.lacks = Install(folder=bench.root, command="touch made", missing="packages")

        require_set_up(bench.private, "web")
        await set_up(bench.workshop())

        assert (bench.root / "made").exists()
        assert (bench.root / "tries").read_text() == "x\n"
