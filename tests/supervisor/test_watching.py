"""Specifies `devinit.supervisor.files.watching`: which files are meant, and what is done when they change."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.files import watching
from devinit.supervisor.files.watch_patterns import matcher, reach
from devinit.supervisor.files.watching import watch
from devinit.system import matching, snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.supervisor.conftest import FreePorts, Shop


class TestAPattern:
    @pytest.mark.parametrize(
        ("pattern", "path"),
        [
            ("src/**/*.py", "src/app.py"),
            ("src/**/*.py", "src/a/b/app.py"),
            ("./src/*.py", "src/app.py"),
            ("*.toml", "settings.toml"),
            ("app/**", "app/templates/index.html"),
            ("v?.txt", "v1.txt"),
            ("a+b.py", "a+b.py"),
            ("src", "src/a/app.py"),
            ("./src/", "src/app.py"),
            ("Makefile", "Makefile"),
        ],
    )
    def test_means(self, pattern: str, path: str) -> None:
        assert matcher([pattern])(path)

    @pytest.mark.parametrize(
        ("pattern", "path"),
        [
            ("src/**/*.py", "src/app.pyc"),
            ("src/*.py", "src/a/app.py"),
            ("*.toml", "a/settings.toml"),
            ("**/*.py", "node_modules/x/setup.py"),
            ("**/*.py", ".venv/lib/site.py"),
            ("**", ".git/HEAD"),
            ("**", ".devinit/state.json"),
            ("**", "app/__pycache__/main.cpython-311.pyc"),
            ("a.py", "aXpy"),
            ("src", "src.py"),
            ("lib", "src/lib"),
        ],
    )
    def test_does_not_mean(self, pattern: str, path: str) -> None:
        assert not matcher([pattern])(path)

    @pytest.mark.timeout(120)
    def test_of_many_folders_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching, "LONGEST_SECONDS", 0.05)
        monkeypatch.setattr(matching, "_allowance", matching.Allowance())

        assert matcher(["**/a/" * 20 + "x.py"])("a/" * 200 + "y.py")


class TestWhereAPatternReaches:
    @pytest.mark.parametrize(
        ("pattern", "folder"),
        [
            ("*.py", ""),
            ("src/**/*.py", "src"),
            ("src/**/*.py", "src/a/b"),
            ("./src/*.py", "src"),
            ("*/models/*.py", "shop/models"),
            ("src/**.py", "src/a/b"),
            ("app/**", "app/a/b"),
        ],
    )
    def test_is_below(self, pattern: str, folder: str) -> None:
        assert reach([pattern])(folder)

    @pytest.mark.parametrize(
        ("pattern", "folder"),
        [
            ("*.py", "src"),
            ("src/**/*.py", "tests"),
            ("src/*.py", "src/a"),
            ("*/models/*.py", "shop/views"),
            ("**/*.py", "web/node_modules"),
            ("**", ".git"),
        ],
    )
    def test_is_not_below(self, pattern: str, folder: str) -> None:
        assert not reach([pattern])(folder)


class TestAWatchedService:
    def test_is_restarted_alone_with_the_file_that_changed(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        (shop.root / "src").mkdir()
        shop.service("web", "note=notes", port=ports[0], watch=["src/**/*.py"])
        shop.service("other", "note=others", port=ports[1], depends_on=["web"])
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "src" / "readme.md").write_text("not meant")
            (shop.root / "src" / "app.py").write_text("meant")
            told = events.until(type="note", service="web")
            events.until(type="phase", service="web", phase="ready")

        assert told["message"] == "web is restarted: src/app.py changed"
        assert "restarted: src/app.py changed" in shop("status").stdout
        assert re.search(r"^restarted +src/app.py changed$", shop("why", "web").stdout, re.MULTILINE)
        assert len(shop.notes()) == 2
        assert len(shop.notes("others")) == 1

    def test_says_so_until_it_is_started_for_something_else(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, watch=["*.py"])
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "app.py").touch()
            events.until(type="phase", service="web", phase="ready")
        shop.kill_supervisor()

        assert shop.status()["web"]["restarted_for"] == "app.py changed"

        with shop.subscribe() as events:
            shop.end_process(shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")

        assert shop.status()["web"]["restarted_for"] is None

    def test_comes_up_when_the_file_that_broke_it_is_mended(self, shop: Shop, port: int) -> None:
        (shop.root / "broken.flag").touch()
        shop.service("web", f"fails-while={shop.root}/broken.flag", port=port, watch="*.flag")
        assert shop.begin("start").finish() == 1
        with shop.subscribe() as events:
            (shop.root / "broken.flag").unlink()
            events.until(type="phase", service="web", phase="ready")

    def test_is_restarted_for_each_of_several_files_that_are_saved_one_after_the_other(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", "note=notes", port=port, watch=["*.py"])
        shop.up()
        for name in ("a.py", "b.py", "c.py", "d.py", "e.py", "f.py", "g.py"):
            with shop.subscribe() as events:
                (shop.root / name).touch()
                events.until(type="note", service="web", message=f"web is restarted: {name} changed")
                events.until(type="phase", service="web", phase="ready")

        assert len(shop.notes()) == 8
        assert shop.status()["web"]["watch"] is None

    def test_that_changes_its_files_itself_is_restarted_less_often_and_for_an_edit_at_once(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", f"note={shop.root}/notes.py", port=port, watch=["*.py"])
        shop.up()
        said = "notes.py changed soon after each of the last restarts: the next one for it waits 1 s; "
        advice = "leave it out of `watch` if the service writes it itself"
        with shop.subscribe() as events:
            (shop.root / "first.py").touch()
            events.until(type="note", service="web", message=f"web: {said}{advice}")
            events.until(type="note", service="web", message="web is restarted: notes.py changed")
            events.until(type="phase", service="web", phase="ready")
            shown = shop.status()["web"]["watch"]
            explained, listed = shop("why", "web").stdout, shop("status").stdout
            (shop.root / "edited.py").touch()
            while (told := events.until(type="note")["message"]) == "web is restarted: notes.py changed":
                pass  # It goes on meanwhile, on a busy machine.

        assert told in (
            "web is restarted: edited.py changed",
            "web is restarted: edited.py and 1 more changed",
            "web is restarted: notes.py and 1 more changed",
        )
        assert "  watch: notes.py changed soon after each of the last restarts: the next one" in listed
        assert shown.startswith("notes.py changed soon after each of the last restarts: ")
        assert re.search(r"^watch +notes.py changed soon after", explained, re.MULTILINE)

    def test_is_not_restarted_for_what_its_first_start_writes(self, shop: Shop, port: int) -> None:
        (shop.root / "copy.sh").write_text("cp service.py generated.py\n")
        shop.service("web", "note=notes", port=port, watch=["*.py"], before_start="sh copy.sh")
        shop.up()

        with shop.subscribe() as events:
            assert events.stays_silent(2.0, type="note", service="web")

    def test_that_writes_a_file_with_the_same_content_is_no_loop(self, shop: Shop, port: int) -> None:
        (shop.root / "copy.sh").write_text("cp service.py generated.py\n")
        shop.service("web", "note=notes", port=port, watch=["*.py"], before_start="sh copy.sh")
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "first.py").touch()
            # Whose work that is cannot be known yet.
            events.until(type="note", service="web", message="web is restarted: generated.py changed")
            events.until(type="phase", service="web", phase="ready")
            assert events.stays_silent(2.0, type="note", service="web")
            (shop.root / "edited.py").touch()
            events.until(type="note", service="web", message="web is restarted: edited.py changed")
            events.until(type="phase", service="web", phase="ready")
            assert events.stays_silent(2.0, type="note", service="web")

    def test_is_restarted_for_files_in_a_folder_that_was_replaced(self, shop: Shop, port: int) -> None:
        """`git checkout` removes folders and makes them anew; the kernel's watch ends with the old one."""
        (shop.root / "src").mkdir()
        (shop.root / "src" / "app.py").touch()
        shop.service("web", port=port, watch=["src/**/*.py"])
        shop.up()
        with shop.subscribe() as events:
            shutil.rmtree(shop.root / "src")
            (shop.root / "src").mkdir()
            (shop.root / "src" / "app.py").touch()
            told = events.until(type="note", service="web")
            while not events.stays_silent(2.0, type="note", service="web"):
                pass
            (shop.root / "src" / "app.py").write_text("edited")
            again = events.until(type="note", service="web")

        assert told["message"].startswith("web is restarted: src/")
        assert again["message"] == "web is restarted: src/app.py changed"

    def test_is_watched_by_the_next_supervisor_too_and_no_more_after_a_stop(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", "note=notes", port=port, watch=["*.py"])
        shop.service("other", port=port + 1)
        shop.up()
        shop.kill_supervisor()
        shop.status()
        with shop.subscribe() as events:
            # It loads its watcher after it has answered: what changes before that is not seen.
            while events.stays_silent(1.0, type="phase", service="web", phase="ready"):
                (shop.root / "app.py").touch()
        assert shop("stop", "web").returncode == 0
        with shop.subscribe() as events:
            (shop.root / "app.py").write_text("changed")

            assert events.stays_silent(1.5, type="phase", service="web")


NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class FakeService:
    """A service that was up for long whenever it is asked, and what it was told."""

    def __init__(self) -> None:
        self.restarts: list[str] = []
        self.shown: list[str | None] = []
        self.notes: list[str] = []
        self.restarted = asyncio.Event()
        self.watched = asyncio.Event()

    async def restart(self, reason: str) -> None:
        self.restarts.append(reason)
        self.restarted.set()

    def up_seconds(self) -> float:
        return 100.0

    def show(self, condition: str | None) -> None:
        self.shown.append(condition)
        self.watched.set()

    def note(self, text: str) -> None:
        self.notes.append(text)


def git(folder: Path, *words: str) -> None:
    """Run git without anything that a user has configured."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *identity, *words], cwd=folder, env=environment, capture_output=True, check=True)


def copy_tree(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)


def on_a_branch(root: Path, *, with_folder: str) -> None:
    """Commit what is there to `main`, and a folder more to `feature`; `main` is checked out."""
    git(root, "init", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "-m", "main")
    git(root, "checkout", "-b", "feature")
    write(root / with_folder, "feature.py", "more.py", "another.py")
    git(root, "add", ".")
    git(root, "commit", "-m", "feature")
    git(root, "checkout", "main")


@contextlib.asynccontextmanager
async def watched(root: Path, *patterns: str) -> AsyncIterator[FakeService]:
    """Watch files of a service that is up, from the time on when they are seen to be watched."""
    service = FakeService()
    task = asyncio.create_task(watch(root, root, patterns, service))
    try:
        async with asyncio.timeout(60):
            await service.watched.wait()
            yield service
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_restarted(service: FakeService) -> str:
    """Wait for the next restart and return what it is for."""
    await service.restarted.wait()
    service.restarted.clear()
    return service.restarts[-1]


class TestFilesThatComeAndGoWithTheirFolder:
    """The kernel reports the folder, and not always the files in it."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        write(tmp_path / "shop" / "src", "main.py")
        return tmp_path / "shop"

    @NEEDS_GIT
    @pytest.mark.parametrize("folder", ["src/billing", "src/a/b/c"])
    async def test_count_when_git_adds_and_removes_the_folder(self, root: Path, folder: str) -> None:
        on_a_branch(root, with_folder=folder)
        async with watched(root, "src/**/*.py") as service:
            for _ in range(4):
                git(root, "checkout", "feature")
                assert f"{folder}/another.py" in await until_restarted(service)
                git(root, "checkout", "main")
                assert f"{folder}/another.py" in await until_restarted(service)

    @NEEDS_GIT
    async def test_count_when_git_brings_the_watched_folder_itself_back(self, root: Path) -> None:
        on_a_branch(root, with_folder="lib")
        async with watched(root, "lib/**/*.py") as service:
            for _ in range(3):
                git(root, "checkout", "feature")
                assert (await until_restarted(service)).startswith("lib/")
                git(root, "checkout", "main")
                assert (await until_restarted(service)).startswith("lib/")

    async def test_count_when_the_folder_is_copied(self, root: Path) -> None:
        write(root / "feature" / "deep", "a.py", "b.py", "c.py")
        async with watched(root, "src/**/*.py") as service:
            for number in range(3):
                copy_tree(root / "feature", root / "src" / f"f{number}")
                assert await until_restarted(service) == f"src/f{number}/deep/a.py and 2 more changed"

    async def test_count_when_the_folder_is_moved_in_and_out(self, root: Path) -> None:
        write(root / "feature" / "deep", "a.py", "b.py")
        async with watched(root, "src/**/*.py") as service:
            (root / "feature").rename(root / "src" / "feature")
            assert await until_restarted(service) == "src/feature/deep/a.py and 1 more changed"
            (root / "src" / "feature" / "deep" / "b.py").write_text("edited where it is now")
            assert await until_restarted(service) == "src/feature/deep/b.py changed"
            (root / "src" / "feature").rename(root / "feature")
            assert await until_restarted(service) == "src/feature/deep/a.py and 1 more changed"

    async def test_count_when_the_folder_gets_another_name(self, root: Path) -> None:
        write(root / "src" / "billing" / "deep", "a.py")
        async with watched(root, "src/**/*.py") as service:
            (root / "src" / "billing").rename(root / "src" / "payments")
            assert await until_restarted(service) == "src/billing/deep/a.py and 1 more changed"
            (root / "src" / "payments" / "deep" / "a.py").write_text("edited where it is now")
            assert await until_restarted(service) == "src/payments/deep/a.py changed"

    async def test_count_when_the_watched_folder_goes_and_comes_back(self, root: Path) -> None:
        async with watched(root, "src/**/*.py") as service:
            (root / "src").rename(root / "away")
            assert await until_restarted(service) == "src/main.py changed"
            (root / "away").rename(root / "src")
            assert await until_restarted(service) == "src/main.py changed"
            (root / "src" / "main.py").write_text("edited")
            assert await until_restarted(service) == "src/main.py changed"

    async def test_count_when_the_folder_is_away_for_a_moment_only(self, root: Path) -> None:
        """What failed because its files were away is to come up again when they are back."""
        write(root / "src" / "billing", "a.py")
        async with watched(root, "src/**/*.py") as service:
            (root / "src" / "billing").rename(root / "away")
            (root / "away").rename(root / "src" / "billing")
            assert await until_restarted(service) == "src/billing/a.py changed"

    async def test_count_when_the_folder_of_a_pattern_is_made_only_now(self, root: Path) -> None:
        write(root / "feature", "a.py")
        async with watched(root, "lib/*.py") as service:
            (root / "feature").rename(root / "lib")
            assert await until_restarted(service) == "lib/a.py changed"
            (root / "lib" / "a.py").write_text("edited")
            assert await until_restarted(service) == "lib/a.py changed"

    @NEEDS_GIT
    async def test_count_in_a_folder_that_a_link_within_the_repository_leads_to(self, root: Path) -> None:
        write(root / "shared", "main.py")
        write(root / "feature", "a.py")
        git(root, "init")
        (root / "src" / "shared").symlink_to(root / "shared")
        async with watched(root, "src/**/*.py") as service:
            (root / "feature").rename(root / "shared" / "feature")
            assert await until_restarted(service) == "src/shared/feature/a.py changed"

    async def test_do_not_count_when_no_pattern_means_them(self, root: Path) -> None:
        for each in ("feature", "others/node_modules/x"):
            write(root / each, "a.py")
        (root / "feature" / "a.py").rename(root / "feature" / "a.txt")
        async with watched(root, "src/**/*.py", "*.py") as service:
            (root / "feature").rename(root / "src" / "feature")
            (root / "others").rename(root / "src" / "others")
            (root / "src" / "main.py").write_text("edited")
            assert await until_restarted(service) == "src/main.py changed"
            write(root / "templates", "a.py")
            (root / "main.py").write_text("made")
            assert await until_restarted(service) == "main.py changed"

        assert len(service.restarts) == 2

    async def test_are_said_not_to_be_seen_when_there_are_too_many_files(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(snapshot, "MOST_ENTRIES", 3)
        write(root / "src", "a.py", "b.py", "c.py", "d.py")
        async with watched(root, "src/**/*.py") as service:
            (root / "src" / "a.py").write_text("edited")
            assert await until_restarted(service) == "src/a.py changed"

        said = (
            "more than 3 files lie where `watch` looks: it sees what you save, and not what comes or goes with a "
            "whole folder; name the folders of your source code in it"
        )
        assert service.notes == [said]
        assert service.shown[-1] == said


def inotify_watches() -> int:
    """Return how many files and folders this process has the kernel watch."""
    found = 0
    for path in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            found += path.read_text().count("inotify wd:")
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux shows")
class TestTheFoldersThatAreWatched:
    @pytest.mark.parametrize("pattern", ["*/src/**/*.py", "**/*.py", "vendor/src/**/*.py"])
    async def test_lie_behind_no_link_out_of_the_repository(self, tmp_path: Path, pattern: str) -> None:
        root, outside = tmp_path / "shop", tmp_path / "outside"
        write(root / "own" / "src", "main.py")
        write(root / "vendor" / "src", "main.py")
        for number in range(50):
            write(outside / "src" / str(number), "a.py")
        (root / "vendor" / "src" / "link").symlink_to(outside)
        (root / "link").symlink_to(outside)
        before = inotify_watches()

        async with watched(root, pattern) as service:
            assert inotify_watches() - before < 10
            write(outside / "src" / "7", "a.py", "b.py")
            write(root / "vendor" / "src", "edited.py")
            assert await until_restarted(service) == "vendor/src/edited.py changed"

    async def test_are_those_that_a_pattern_means(self, tmp_path: Path) -> None:
        write(tmp_path / "src", "main.py")
        for name in ("node_modules", "uploads", ".git"):
            for number in range(50):
                write(tmp_path / name / str(number), "a.py")
        before = inotify_watches()

        async with watched(tmp_path, "src/**/*.py", "*.py"):
            assert inotify_watches() - before == 2

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
    async def test_are_the_others_where_one_cannot_be_read(self, tmp_path: Path) -> None:
        write(tmp_path / "src", "main.py")
        (tmp_path / "data").mkdir(mode=0o300)

        async with watched(tmp_path, "**/*.py") as service:
            write(tmp_path / "src", "edited.py")
            assert await until_restarted(service) == "src/edited.py changed"

    async def test_are_at_most_so_many_and_the_rest_is_said_not_to_be_seen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(snapshot, "MOST_FOLDERS", 10)
        for number in range(30):
            write(tmp_path / "src" / str(number) / "deep", "a.py")
        before = inotify_watches()

        async with watched(tmp_path, "src/**/*.py") as service:
            assert inotify_watches() - before == 10
            write(tmp_path / "src", "main.py")
            assert await until_restarted(service) == "src/main.py changed"

        assert service.shown[-1] == (
            "more than 10 folders lie where `watch` looks: it sees no files in the deepest of them; name the folders "
            "of your source code in it"
        )
        assert service.notes == [service.shown[-1]]


class TestAFileWhoseNameIsNotUtf8:
    async def test_ends_no_watch(self, tmp_path: Path) -> None:
        write(tmp_path, "main.py")

        async with watched(tmp_path, "*.py") as service:
            (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
            write(tmp_path, "edited.py")

            assert await until_restarted(service) == "edited.py changed"
            assert service.notes == []
            assert not any(service.shown)


class TestARestartThatWaits:
    """One file that is saved again and again, as an agent does, might be the service's own work."""

    async def test_is_shown_with_its_reason_and_no_longer_than_it_waits(self, tmp_path: Path) -> None:
        class JustUp(FakeService):
            def up_seconds(self) -> float:
                return 0.5

        service, number = JustUp(), 0
        task = asyncio.create_task(watch(tmp_path, tmp_path, ("*.py",), service))
        waiting = "app.py changed soon after each of the last restarts: the restart for it waits 1\\.[0-2] s"
        try:
            async with asyncio.timeout(60):
                await service.watched.wait()
                while not any(each is not None for each in service.shown):
                    number += 1
                    (tmp_path / "app.py").write_text(str(number))
                    await until_restarted(service)
                while service.shown[-1] is not None:
                    service.watched.clear()
                    await service.watched.wait()
        finally:
            task.cancel()

        shown = [each for each in service.shown if each is not None]
        assert all(re.match(waiting, each) for each in shown)
        assert service.notes == []


class TestFilesThatCannotBeWatched:
    async def test_are_watched_as_soon_as_that_is_possible(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        full = (
            'OS file watch limit reached. about ["/shop"] (Error { kind: MaxFilesWatch, paths: ["/shop"] })'
        )
        real, failures, service = watching.load_watcher(), [full] * 2, FakeService()

        def awatch(*paths: Path, **options: object) -> AsyncGenerator[set[tuple[Any, str]], None]:
            if failures:
                raise OSError(failures.pop())
            return real(*paths, **options)

        monkeypatch.setattr(watching, "load_watcher", lambda: awatch)
        monkeypatch.setattr(watching, "RETRY_SECONDS", (0.01,))
        task = asyncio.create_task(watch(tmp_path, tmp_path, ("*.py",), service))
        try:
            async with asyncio.timeout(60):
                await service.restarted.wait()
                service.restarted.clear()
                (tmp_path / "app.py").touch()
                await service.restarted.wait()
        finally:
            task.cancel()

        text = service.notes[0]
        assert text.startswith(
            "its files are not watched: your watches of inotify are used up (fs.inotify.max"
        )
        assert "; raise it (`sudo sysctl fs.inotify.max_user_watches=524288`)" in text
        assert text.endswith("; until then `devinit restart` loads what you change")
        assert service.notes == [text, "its files are watched again"]
        assert service.shown[:3] == [text, text, None]
        assert service.restarts == ["what was not watched changed", "app.py changed"]


class TestNobodyWhoWatches:
    def test_pays_for_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        assert "watchfiles" not in Path(f"/proc/{shop.supervisor()}/maps").read_text()
