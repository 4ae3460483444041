"""Specifies `devinit.supervisor.files.watching`: which files are meant, and what is done when they change."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.supervisor.files import watching
from devinit.supervisor.files.watching import folder_of, matcher, watch
from devinit.system import matching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

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
        ],
    )
    def test_does_not_mean(self, pattern: str, path: str) -> None:
        assert not matcher([pattern])(path)

    @pytest.mark.timeout(30)
    def test_of_many_folders_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching, "LONGEST_SECONDS", 0.05)
        monkeypatch.setattr(matching, "_too_slow", {})

        assert matcher(["**/a/" * 20 + "x.py"])("a/" * 200 + "y.py")

    def test_is_watched_from_the_deepest_folder_that_it_names(self, tmp_path: Path) -> None:
        (tmp_path / "src" / "shop").mkdir(parents=True)

        assert folder_of("src/shop/**/*.py", tmp_path) == tmp_path / "src" / "shop"
        assert folder_of("src/not_yet/*.py", tmp_path) == tmp_path / "src"
        assert folder_of("**/*.py", tmp_path) == tmp_path
        assert folder_of("main.py", tmp_path) == tmp_path


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


class FakeService:
    """A service that was up for long whenever it is asked, and what it was told."""

    def __init__(self) -> None:
        self.restarts: list[str] = []
        self.shown: list[str | None] = []
        self.notes: list[str] = []
        self.restarted = asyncio.Event()

    async def restart(self, reason: str) -> None:
        self.restarts.append(reason)
        self.restarted.set()

    def up_seconds(self) -> float:
        return 100.0

    def show(self, condition: str | None) -> None:
        self.shown.append(condition)

    def note(self, text: str) -> None:
        self.notes.append(text)


class TestFilesThatCannotBeWatched:
    async def test_are_watched_as_soon_as_that_is_possible(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, failures, service = watching.load_watcher(), ["inotify limit reached"] * 2, FakeService()

        def awatch(*paths: Path, **options: object) -> AsyncGenerator[set[tuple[Any, str]], None]:
            if failures:
                raise OSError(failures.pop())
            return real(*paths, **options)

        monkeypatch.setattr(watching, "load_watcher", lambda: awatch)
        monkeypatch.setattr(watching, "RETRY_SECONDS", (0.01,))
        task = asyncio.create_task(watch(tmp_path, ("*.py",), service))
        try:
            async with asyncio.timeout(30):
                await service.restarted.wait()
                service.restarted.clear()
                (tmp_path / "app.py").touch()
                await service.restarted.wait()
        finally:
            task.cancel()

        text = "its files are not watched: inotify limit reached; `devinit restart` loads what you change"
        assert service.notes == [text, "its files are watched again"]
        assert service.shown[:3] == [text, text, None]
        assert service.restarts == ["what was not watched changed", "app.py changed"]


class TestNobodyWhoWatches:
    def test_pays_for_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        assert "watchfiles" not in Path(f"/proc/{shop.supervisor()}/maps").read_text()
