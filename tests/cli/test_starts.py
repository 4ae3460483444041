"""Specifies what `start` and `init` make of a folder: the same, and never a success that is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devinit.control.waking import supervisor_of
from devinit.system.checkout import claim
from tests.cli.conftest import Shop
from tests.kinds.conftest import embedded_valkey, system_redis

LAYOUTS = {
    "a stack": {
        "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "backend/requirements.txt": "fastapi\nasyncpg\n",
        "frontend/package.json": '{"scripts": {"dev": "vite"}}',
    },
    "a database that something in backend/ needs": {
        "backend/Main.java": "",
        "backend/requirements.txt": "redis",
    },
    "a database that the folder itself needs": {"requirements.txt": "psycopg"},
    "nothing that is known": {"main.rs": ""},
    "a backend that is not known": {"backend/Main.java": ""},
}
BELOW = ("", "backend", "docs")
needs_redis = pytest.mark.skipif(
    system_redis() is None and embedded_valkey() is None, reason="needs a Redis server"
)


def lay_out(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def running(shop: Shop) -> Iterator[Shop]:
    """A project that is stopped after the test."""
    yield shop
    shop("stop", "--force")


class TestNothingToStart:
    @pytest.mark.parametrize("words", [["start", "all", "-d"], ["restart", "--json"]])
    @pytest.mark.parametrize(
        "files",
        [
            LAYOUTS["nothing that is known"],
            LAYOUTS["a backend that is not known"],
            {"devinit.toml": ""},
            {"devinit.toml": "[environment]\nA = '1'\n"},
            {"devinit.toml": "[services]\n"},
        ],
    )
    def test_is_a_failure_that_says_what_was_looked_for(
        self, shop: Shop, files: dict[str, str], words: list[str]
    ) -> None:
        lay_out(shop.root, files)

        done = shop(*words)

        assert done.returncode == 2
        assert ("looked for devinit.toml" in done.stderr) == ("devinit.toml" not in files)
        assert ("describes no services" in done.stderr) == ("devinit.toml" in files)
        assert "devinit init" in done.stderr

    @pytest.mark.parametrize(
        "words",
        [["start"], ["restart"], ["env"], ["why", "web"], ["run", "true"], ["status"], ["stop"], ["logs"]],
    )
    def test_starts_no_supervisor_and_leaves_nothing_behind(self, shop: Shop, words: list[str]) -> None:
        lay_out(shop.root, LAYOUTS["a backend that is not known"])
        before = everything_in(shop.root)

        shop(*words)

        assert everything_in(shop.root) == before
        assert supervisor_of(shop.root) is None

    @pytest.mark.parametrize("text", ["", "[environment]\nA = '1'\n"])
    def test_in_a_configured_project_leaves_nothing_behind_either(self, shop: Shop, text: str) -> None:
        lay_out(shop.root, {"devinit.toml": text})
        before = everything_in(shop.root)

        assert shop("start").returncode == 2

        assert everything_in(shop.root) == before

    def test_is_what_the_file_has_that_init_writes_where_it_finds_nothing(self, shop: Shop) -> None:
        init = shop("init")
        before = everything_in(shop.root)

        done = shop("start")

        assert "no services were found" in init.stderr
        assert "looked for servers in any folder" in init.stderr
        assert (done.returncode, everything_in(shop.root)) == (2, before)

    def test_is_no_reason_against_a_profile_that_has_services(self, running: Shop) -> None:
        web = '{ command = "sleep 1000", ready = { after = 0.01 } }'
        text = f"profiles.ci = {{ environment = {{ A = '#' }}, services = {{ web = {web} }} }}\n"
        lay_out(running.root, {"devinit.toml": text})

        assert running("start", "--profile", "ci").returncode == 0

    def test_is_said_of_a_profile_that_was_meant_to_have_services(self, shop: Shop) -> None:
        lay_out(shop.root, {"devinit.toml": "[profiles.ci]\nenvironment = { services = '1' }\n"})

        done = shop("start", "--profile", "ci")

        assert done.returncode == 2
        assert "describes no services" in done.stderr

    def test_is_what_is_left_of_a_project_whose_services_were_taken_out(
        self, running: Shop, port: int
    ) -> None:
        running.service("web", port=port)
        assert running("start").returncode == 0
        (running.root / "devinit.toml").write_text("")

        done = running("start")

        assert done.returncode == 2
        assert "describes no services" in done.stderr
        assert running("status", "--json").returncode == 0


class TestOnlyDatabases:
    @needs_redis
    def test_that_were_detected_are_started_and_said_to_be_all_by_each_command(self, running: Shop) -> None:
        lay_out(running.root, LAYOUTS["a database that something in backend/ needs"])
        said = f"no application was found in {running.root}, only redis; looked for servers in any folder"

        assert said in running("status").stderr
        assert "Express and others for Python and Node; Go, Rust" in running("status").stderr
        for _ in range(2):
            start = running("start")
            assert start.returncode == 0
            assert said in start.stderr
            assert "backend/: no application was recognised" in start.stderr
        assert said in running("status").stderr
        assert said in running("status", "redis").stderr

    @needs_redis
    def test_that_are_configured_are_what_was_wanted(self, running: Shop, port: int) -> None:
        lay_out(
            running.root,
            {
                "devinit.toml": f"[project]\ndetect = false\n[services.redis]\nport = {port}\n",
                "backend/x": "",
            },
        )

        for words in (["status"], ["start"], ["status"]):
            done = running(*words)
            assert done.returncode == 0
            assert "application" not in done.stderr

    def test_are_written_down_with_the_application_that_is_missing(self, shop: Shop) -> None:
        lay_out(shop.root, LAYOUTS["a database that the folder itself needs"])

        done = shop("init")

        assert done.returncode == 0
        assert f"no application was found in {shop.root}, only postgres" in done.stderr
        written = (shop.root / "devinit.toml").read_text()
        assert "# No application was detected here" in written
        assert "# [services.backend]" in written
        assert "application" not in shop("status").stderr


class TestOneAnswer:
    @pytest.mark.parametrize("below", BELOW)
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_is_given_by_init_and_by_the_commands_that_start(
        self, shop: Shop, layout: str, below: str
    ) -> None:
        lay_out(shop.root, LAYOUTS[layout])
        (shop.root / ".git").mkdir()
        (shop.root / ".git" / "HEAD").touch()
        folder = shop.root / below
        folder.mkdir(exist_ok=True)
        status = shop("-C", str(folder), "status", "--json")

        written = json.loads(shop("-C", str(folder), "init", "--json").stdout)

        found = json.loads(status.stdout)
        if status.returncode == 0:
            assert [each["name"] for each in found["services"]] == written["services"]
            assert written["path"] == f"{found['root']}/devinit.toml"
        else:
            assert (found["kind"], written["services"]) == ("NoProject", [])

    def test_in_a_part_of_a_project_is_that_project(self, shop: Shop) -> None:
        lay_out(shop.root, LAYOUTS["a stack"])
        inside = str(shop.root / "backend")

        assert f"{shop.root}/devinit.toml written" in shop("-C", inside, "init").stderr
        again = shop("-C", inside, "init", "--force")
        assert again.returncode == 2
        assert f"{inside} is a part of the project {shop.root}" in again.stderr
        assert "`devinit init --here`" in again.stderr
        assert shop("-C", inside, "init", "--here").returncode == 0
        assert (shop.root / "backend" / "devinit.toml").exists()


class TestAFileThatInitReplaces:
    def test_is_kept_beside_it(self, shop: Shop) -> None:
        by_hand = "# by hand\n[services.web]\ncommand = 'sleep 1000'\n"
        lay_out(shop.root, {**LAYOUTS["a stack"], "devinit.toml": by_hand})

        done = shop("init", "--force")

        assert done.returncode == 0
        assert "the former one is kept as devinit.toml.old" in done.stderr
        assert (shop.root / "devinit.toml.old").read_text() == by_hand

    def test_does_not_take_the_place_of_one_that_was_kept_before(self, shop: Shop) -> None:
        lay_out(shop.root, {"devinit.toml": "# first\n"})
        assert shop("init", "--force").returncode == 0
        (shop.root / "devinit.toml").write_text("# second\n")

        kept = json.loads(shop("init", "--force", "--json").stdout)["kept"]

        assert kept == str(shop.root / "devinit.toml.old.2")
        assert (shop.root / "devinit.toml.old").read_text() == "# first\n"

    def test_is_not_kept_when_nothing_changes(self, shop: Shop) -> None:
        lay_out(shop.root, LAYOUTS["a stack"])
        assert shop("init").returncode == 0

        assert shop("init", "--force").returncode == 0

        assert not (shop.root / "devinit.toml.old").exists()


class TestAnEnvironmentFileThatAUserWrote:
    def test_is_kept_and_mentioned_by_the_start_that_replaces_it(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        (shop.root / ".env.runtime").write_text("SECRET=mine\n")
        examined = shop("doctor").stdout

        first = shop("start", "-d")
        shop("stop")
        again = shop("start", "-d")

        assert f"{shop.root}/.env.runtime was not written by devinit" in examined
        assert ".env.runtime.old" in examined
        assert (first.returncode, again.returncode) == (0, 0)
        assert "its former text is kept as .env.runtime.old" in first.stderr
        assert ".env.runtime.old" not in again.stderr
        assert (shop.root / ".env.runtime.old").read_text() == "SECRET=mine\n"


class TestTheProjectThatAStartTakes:
    @pytest.fixture
    def project(self, running: Shop, port: int) -> Shop:
        running.service("web", port=port)
        (running.root / "docs" / "deep").mkdir(parents=True)
        return running

    def test_is_named_when_it_is_not_the_folder_that_one_stands_in(self, project: Shop) -> None:
        inside = str(project.root / "docs" / "deep")

        for words in (["start"], ["restart"]):
            assert f"project: {project.root}" in project("-C", inside, *words).stderr.splitlines()
        assert "project:" not in project("start").stderr
        assert "project:" not in project("start", "--json").stdout

    @pytest.mark.parametrize("words", [["start"], ["env"], ["stop"]])
    def test_is_none_with_a_record_of_nothing(self, shop: Shop, words: list[str]) -> None:
        lay_out(shop.root, {"other/x": ""})
        Path(claim(shop.root), "state.json").write_text('{"version":1,"services":{},"moments":{}}')
        before = everything_in(shop.root)

        done = shop("-C", str(shop.root / "other"), *words)

        assert done.returncode == 2
        assert "there is no project in" in done.stderr
        assert everything_in(shop.root) == before

    @pytest.mark.parametrize("words", [["start"], ["env"], ["stop"]])
    def test_is_none_that_does_not_know_the_repository_one_stands_in(
        self, project: Shop, words: list[str]
    ) -> None:
        lay_out(project.root, {"library/.git/HEAD": ""})
        before = everything_in(project.root)

        done = project("-C", str(project.root / "library"), *words)

        assert done.returncode == 2
        assert f"{project.root} is a project, and {project.root}/library is a git repository" in done.stderr
        assert everything_in(project.root) == before


class TestAHostileNameOnTheWayUp:
    @pytest.mark.parametrize("words", [["start"], ["init"]])
    @pytest.mark.parametrize("name", ["devinit.toml", ".git", ".devinit", ".env", "pyproject.toml"])
    def test_is_not_waited_for_when_it_is_a_fifo(self, shop: Shop, name: str, words: list[str]) -> None:
        os.mkfifo(shop.root / name)
        inside = shop.root / "inside"
        lay_out(inside, {"package.json": "{}"})

        for folder in (inside, shop.root):
            done = shop("-C", str(folder), *words)
            assert done.returncode in (0, 2)

    @pytest.mark.parametrize("kind", ["named pipe", "directory"])
    def test_is_refused_by_name_where_it_stands(self, shop: Shop, kind: str) -> None:
        path = shop.root / "devinit.toml"
        os.mkfifo(path) if kind == "named pipe" else path.mkdir()

        for words in (["start"], ["status"], ["stop"]):
            done = shop(*words)
            assert done.returncode in (0, 2)
            assert words == ["stop"] or f"{path} is a {kind}, not a file" in done.stderr
