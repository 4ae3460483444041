"""Specifies `devinit.supervisor.watching`: which files are meant, and when a service changes them itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.watching import History, decide, folder_of, matcher

if TYPE_CHECKING:
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

    def test_is_watched_from_the_deepest_folder_that_it_names(self, tmp_path: Path) -> None:
        (tmp_path / "src" / "shop").mkdir(parents=True)

        assert folder_of("src/shop/**/*.py", tmp_path) == tmp_path / "src" / "shop"
        assert folder_of("src/not_yet/*.py", tmp_path) == tmp_path / "src"
        assert folder_of("**/*.py", tmp_path) == tmp_path
        assert folder_of("main.py", tmp_path) == tmp_path


class TestALoop:
    def test_is_no_loop_when_a_person_saves_often(self) -> None:
        history, own_work = History(), False

        for now in range(0, 100, 4):
            history, own_work = decide(history, float(now))

            assert not own_work

    def test_is_seen_when_every_restart_is_followed_by_a_change(self) -> None:
        history, found = History(), []

        for now in range(6):
            history, own_work = decide(history, now * 0.5)
            found.append(own_work)

        assert found == [False, False, False, False, True, True]

    def test_is_forgotten_after_a_quiet_time(self) -> None:
        history = History(restarted_at=100.0, soon=3)

        assert decide(history, 110.0) == (History(restarted_at=110.0, soon=0), False)


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

    def test_that_changes_its_files_itself_is_left_alone_in_the_end(self, shop: Shop, port: int) -> None:
        shop.service("web", f"note={shop.root}/notes.py", port=port, watch=["*.py"])
        shop.up()
        said = "notes.py changes each time the service starts: its files are not watched any more; "
        with shop.subscribe() as events:
            (shop.root / "notes.py").open("a").close()
            (shop.root / "first.py").touch()
            told = events.until(
                type="note", service="web", message=f"web: {said}leave out of `watch` what it writes itself"
            )

        assert told
        assert shop.status()["web"]["phase"] == "ready"
        assert 4 <= len(shop.notes("notes.py")) <= 6

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


class TestNobodyWhoWatches:
    def test_pays_for_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        assert "watchfiles" not in Path(f"/proc/{shop.supervisor()}/maps").read_text()
