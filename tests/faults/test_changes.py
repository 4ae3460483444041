"""Faults of configuration: what runs is older than what is written, and a restart that must notice."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop


class TestAVariableThatWasRemoved:
    def test_from_the_configuration_disappears_with_the_next_restart(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port, env={"OLD_SETTING": "1"})
        shop.up()
        shop.service("web", "note=notes", port=port)

        assert shop("restart").returncode == 0

        before, after = shop.notes()
        assert before["OLD_SETTING"] == "1"
        assert "OLD_SETTING" not in after

    def test_from_a_dotenv_file_disappears_with_the_next_restart(self, shop: Shop, port: int) -> None:
        (shop.root / ".env").write_text("OLD_SETTING=1\nKEPT=1\n")
        shop.service("web", "note=notes", port=port)
        shop.up()
        (shop.root / ".env").write_text("KEPT=2\n")

        assert shop("restart", "web").returncode == 0

        _, after = shop.notes()
        assert "OLD_SETTING" not in after
        assert after["KEPT"] == "2"

    def test_from_the_shell_disappears_with_the_next_restart(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up(OLD_SETTING="1")

        assert shop("restart").returncode == 0

        assert "OLD_SETTING" not in shop.notes()[-1]


class TestAServiceThatIsOlderThanItsFiles:
    def test_is_marked_with_what_has_changed(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        (shop.root / ".env").write_text("A=1\n")
        shop.service("web", port=ports[0], env={"ONE": "1", "TWO": "2"})
        shop.service("other", port=ports[1])
        shop.up()
        assert [each["changed"] for each in shop.status().values()] == [[], []]

        (shop.root / ".env").write_text("A=2\n")
        shop.service("web", "say=hello", port=ports[0], env={"ONE": "1", "TWO": "3", "THREE": "3"})

        status = shop.status()
        assert status["web"]["changed"] == ["command", "env.THREE", "env.TWO", ".env"]
        assert status["other"]["changed"] == [".env"]
        assert "outdated (command, env.THREE, env.TWO, .env)" in shop("status").stdout

    def test_is_not_marked_for_a_file_that_was_only_touched(self, shop: Shop, port: int) -> None:
        (shop.root / ".env").write_text("A=1\n")
        shop.service("web", port=port)
        shop.up()

        os.utime(shop.root / ".env")
        os.utime(shop.root / "devinit.toml")

        assert shop.status()["web"]["changed"] == []

    def test_is_marked_by_the_next_supervisor_too(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        shop.write(more='[environment]\nNEW = "1"\n')

        assert shop.status()["web"]["changed"] == ["[environment]"]

    def test_is_not_marked_while_the_configuration_is_broken(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        (shop.root / "devinit.toml").write_text("[services.web\n")

        assert shop.status()["web"]["changed"] == []


class TestACheckoutOfAnotherBranch:
    """`git checkout` changes lock files, and adds, renames and removes services, while they run."""

    def test_marks_what_setup_has_to_install_again(self, shop: Shop, port: int) -> None:
        (shop.root / "web").mkdir()
        for name in ("web/uv.lock", "web/pyproject.toml", "pnpm-lock.yaml"):
            (shop.root / name).write_text("old")
        shop.service("web", port=port, directory="web", setup=["echo done >> set-up"])
        shop.up()
        assert shop.status()["web"]["changed"] == []

        (shop.root / "web" / "uv.lock").write_text("new")
        (shop.root / "web" / "package.json").write_text("{}")
        (shop.root / "pnpm-lock.yaml").unlink()

        marked = shop.status()["web"]["changed"]
        assert marked == ["web/uv.lock", "web/package.json", "pnpm-lock.yaml"]
        assert shop("restart", "--changed").returncode == 0
        assert (shop.root / "web" / "set-up").read_text().count("done") == 2
        assert shop.status()["web"]["changed"] == []

    def test_marks_a_failed_setup_whose_files_were_put_right(self, shop: Shop, port: int) -> None:
        (shop.root / "uv.lock").write_text("bad")
        shop.service("web", port=port, setup=["grep -q good uv.lock"])
        assert shop.begin("start").finish() == 1

        (shop.root / "uv.lock").write_text("good")

        assert shop("restart", "--changed").returncode == 0
        assert shop.status()["web"]["phase"] == "ready"

    def test_marks_what_was_added_and_what_was_removed(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("api", port=ports[0])
        shop.up()
        shop.remove("api")
        shop.service("backend", port=ports[1])

        status = shop.status()

        assert {name: (each["phase"], each["changed"]) for name, each in status.items()} == {
            "api": ("ready", ["removed"]),
            "backend": ("stopped", ["added"]),
        }
        shown = shop("status").stdout
        assert "not in the configuration any more" in shown
        assert "Not running  new in the configuration" in shown

    def test_is_followed_by_a_restart_of_what_changed(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(3)
        shop.service("api", port=ports[0])
        shop.service("other", port=ports[2])
        shop.up()
        before = shop.status()["other"]["pid"]
        shop.remove("api")
        shop.service("backend", port=ports[1])

        restart = shop("restart", "--changed")

        assert restart.returncode == 0
        assert "api is stopped: it is not in the configuration any more" in restart.stderr
        assert "new in the configuration: backend; `devinit start backend`" in restart.stderr
        assert "nothing has changed" not in restart.stderr
        status = shop.status()
        assert list(status) == ["other", "backend"]
        assert status["other"]["pid"] == before

    def test_is_followed_by_a_start_that_says_what_it_stops(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("api", port=ports[0])
        shop.up()
        shop.remove("api")
        shop.service("backend", port=ports[1])

        start = shop("start")

        assert start.returncode == 0
        assert "api is stopped: it is not in the configuration any more" in start.stderr


class TestARestartOfWhatChanged:
    def test_leaves_the_others_alone(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", "note=notes", port=ports[0])
        shop.service("other", "note=others", port=ports[1])
        shop.up()
        before = shop.status()["other"]["pid"]
        shop.service("web", "note=notes", port=ports[0], env={"NEW": "1"})

        assert shop("restart", "--changed").returncode == 0

        assert shop.status()["other"]["pid"] == before
        assert [note.get("NEW") for note in shop.notes()] == [None, "1"]
        assert shop.status()["web"]["changed"] == []

    def test_of_nothing_says_so(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]

        answer = shop("restart", "--changed")

        assert answer.returncode == 0
        assert "nothing has changed since the services were started" in answer.stderr
        assert "there are no services" not in answer.stderr
        assert shop.status()["web"]["pid"] == before


class TestACrashAfterAnAdoption:
    def test_is_answered_in_the_environment_of_the_start(self, shop: Shop, port: int) -> None:
        shop.service("web", "note=notes", port=port)
        shop.up(SETTING="of the start")
        shop.kill_supervisor()
        assert shop("status", SETTING="of somebody who looks").returncode == 0
        with shop.subscribe() as events:
            shop.end_process(shop.status()["web"]["pid"])
            events.until(type="phase", service="web", phase="ready")

        assert [note["SETTING"] for note in shop.notes()] == ["of the start"] * 2

    def test_leaves_no_environment_behind_for_others_or_after_a_stop(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up(SECRET="s3cr3t")
        path = state_of(shop.root) / "caller.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        holders = [
            each for each in path.parent.rglob("*") if each.is_file() and b"s3cr3t" in each.read_bytes()
        ]
        assert holders == [path]

        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

        assert not path.exists()
