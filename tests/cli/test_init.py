"""Specifies the file that `devinit init` writes, and what happens to the project around it."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from devinit.config.load import load
from devinit.config.pinning import pin
from devinit.model.port import ConflictPolicy
from tests.cli.conftest import Shop
from tests.terminal import Terminal

DOWN, ENTER = "\x1b[B", "\r"


@pytest.fixture
def found(shop: Shop, port: int) -> Shop:
    """A git repository in which a web server is found."""
    (shop.root / "Procfile").write_text(f"web: python3 -m http.server --bind 127.0.0.1 {port}\n")
    subprocess.run(["git", "init", "-q", shop.root], check=True)
    return shop


class TestTheFile:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a file over")
    def test_of_a_person_stays_hers_when_root_replaces_it(self, found: Shop) -> None:
        path, ignored = found.root / "devinit.toml", found.root / ".gitignore"
        path.write_text("# by hand\n")
        ignored.write_text("build\n")
        for each in (path, ignored):
            os.chown(each, 1234, 1234)

        assert found("init", "--force").returncode == 0

        assert "[services.web]" in path.read_text()
        assert {(each.stat().st_uid, each.stat().st_gid) for each in (path, ignored)} == {(1234, 1234)}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that are its own")
    def test_and_what_stands_beside_it_belong_to_the_owner_of_the_folder(self, found: Shop) -> None:
        path = found.root / "devinit.toml"
        path.write_text("# by hand\n")
        for each in (found.root, path):
            os.chown(each, 1234, 1234)

        assert found("init", "--force").returncode == 0
        assert found("export", "compose", "-o", str(found.root / "deploy" / "compose.yaml")).returncode == 0

        made = [path, *(found.root / name for name in ("devinit.toml.old", ".gitignore", "deploy"))]
        made += (found.root / "deploy").iterdir()
        assert {each.name: each.stat().st_uid for each in made} == {each.name: 1234 for each in made}

    def test_lies_over_what_is_found_later(self, found: Shop, port: int) -> None:
        assert found("init").returncode == 0

        (found.root / "Procfile").write_text(f"web: python3 -m http.server {port}\nworker: sleep 60\n")
        explained = json.loads(found("init", "--explain", "--json").stdout)
        assert {*explained["services"]} == {"web", "worker"}

    @pytest.mark.parametrize("words", [["--explain"], ["--explain", "--json"]])
    def test_is_explained_without_secrets_that_a_command_repeats(
        self, found: Shop, port: int, words: list[str]
    ) -> None:
        (found.root / ".env").write_text("API_SECRET=s3cr3t-of-ours\n")
        line = f"web: python3 app.py --key s3cr3t-of-ours --password hunter2 --port {port}\n"
        (found.root / "Procfile").write_text(line)

        done = found("init", *words)

        assert "app.py --key *** --password ***" in done.stdout
        assert "s3cr3t" not in done.stdout

    def test_is_all_that_counts_when_it_is_full(self, found: Shop, port: int) -> None:
        assert found("init", "--full").returncode == 0

        (found.root / "Procfile").write_text(f"web: python3 -m http.server {port}\nworker: sleep 60\n")
        explained = json.loads(found("init", "--explain", "--json").stdout)
        assert {*explained["services"]} == {"web"}

    def test_is_named_where_it_says_more_than_was_found(self, found: Shop, port: int) -> None:
        (found.root / "devinit.toml").write_text(f"[services.web]\nport = {port + 1}\n")

        lines = found("init", "--explain").stdout.splitlines()
        assert lines[0].endswith(f"on port {port + 1}")
        assert lines[1].split() == ["devinit.toml", "port"]
        assert lines[2].split()[:4] == ["Procfile,", "line", "1", "command:"]

    def test_keeps_an_answer_about_a_port_of_a_service_that_is_only_found(self, found: Shop) -> None:
        found("init")
        path = found.root / "devinit.toml"

        assert pin(path, "web", "fail", None)

        port = load(found.root).services["web"].port
        assert port
        assert port.policy is ConflictPolicy.FAIL


@pytest.fixture
def doubtful(shop: Shop, port: int) -> Shop:
    """A repository that names a Redis which nothing in it uses."""
    (shop.root / "Procfile").write_text(f"web: python3 -m http.server --bind 127.0.0.1 {port}\n")
    (shop.root / "compose.yaml").write_text("services:\n  redis:\n    image: redis:8\n")
    return shop


class TestAtATerminal:
    def test_what_was_found_is_shown_and_a_doubt_is_asked_about(self, doubtful: Shop) -> None:
        terminal = Terminal(doubtful.terminal("init"))
        terminal.shows("Procfile, line 1", "no package of the code reaches it", "leave it out")

        terminal.press(DOWN)
        terminal.press(ENTER)

        screen, code = terminal.left()
        assert code == 0
        assert "devinit.toml written: web" in " ".join(screen.split())
        assert "[services]\nredis = false\n" in (doubtful.root / "devinit.toml").read_text()
        assert {*load(doubtful.root).services} == {"web"}

    def test_what_the_file_leaves_out_is_asked_no_more(self, doubtful: Shop) -> None:
        doubtful("init")
        path = doubtful.root / "devinit.toml"
        path.write_text(f"{path.read_text()}\n[services]\nredis = false\n")
        terminal = Terminal(doubtful.terminal("init"))

        terminal.shows("devinit.toml is there already", gone="no package of the code reaches it")
        terminal.press("q")

        assert terminal.left()[1] == 0

    def test_the_safe_answers_count_with_yes(self, doubtful: Shop) -> None:
        screen, code = Terminal(doubtful.terminal("init", "--yes")).left()

        assert code == 0
        assert "devinit.toml written: redis, web" in " ".join(screen.split())

    def test_giving_up_writes_nothing(self, doubtful: Shop) -> None:
        terminal = Terminal(doubtful.terminal("init"))
        terminal.shows("leave it out")

        terminal.press("q")

        screen, code = terminal.left()
        assert code == 130
        assert "nothing was written" in screen
        assert not (doubtful.root / "devinit.toml").exists()

    def test_a_file_that_is_there_is_kept_and_the_difference_is_shown(self, found: Shop, port: int) -> None:
        text = f"[services.web]\nport = {port + 1}\n"
        (found.root / "devinit.toml").write_text(text)
        terminal = Terminal(found.terminal("init"))
        terminal.shows(f"-port = {port + 1}", "keep devinit.toml as it is")

        terminal.press(ENTER)

        assert terminal.left()[1] == 0
        assert (found.root / "devinit.toml").read_text() == text
        assert not (found.root / "devinit.toml.old").exists()

    def test_a_file_that_is_replaced_is_kept_beside_it(self, found: Shop) -> None:
        (found.root / "devinit.toml").write_text("[project]\nname = 'mine'\n")
        terminal = Terminal(found.terminal("init"))
        terminal.shows("keep devinit.toml as it is")

        terminal.press(DOWN)
        terminal.press(ENTER)

        assert terminal.left()[1] == 0
        assert (found.root / "devinit.toml.old").read_text() == "[project]\nname = 'mine'\n"
        assert "mine" not in (found.root / "devinit.toml").read_text()

    def test_a_private_file_that_is_replaced_stays_private(self, found: Shop) -> None:
        path = found.root / "devinit.toml"
        path.write_text("[project]\nname = 'mine'\n")
        path.chmod(0o600)

        assert found("init", "--force").returncode == 0

        rights = [each.stat().st_mode & 0o777 for each in (path, path.with_name("devinit.toml.old"))]
        assert rights == [0o600, 0o600]

    def test_a_file_that_says_the_same_is_left_alone(self, found: Shop) -> None:
        found("init")

        screen, code = Terminal(found.terminal("init")).left()

        assert code == 0
        assert "nothing was written" in screen


class TestSecretsOfAnEnvFile:
    COMPOSE = """\
services:
  redis: {image: redis, command: "redis-server --requirepass ${DB_PASS}"}
  db: {image: postgres, environment: {POSTGRES_PASSWORD: "${DB_PASS}"}}
  worker:
    image: python
    command: celery -A app worker --secret ${TOKEN}
    env_file: .env
    environment: {CONN: "host=db port=5432 password=${DB_PASS} user=app"}
"""
    ENV = (
        "DB_PASS=PWENV6\nTOKEN=PWENV8\nCONN2=host=db password=PWENV20 user=app\n"
        "BROKER=redis://x:PWENV24@redis:6379/1?secret=PWENV25\n"
    )

    @pytest.mark.parametrize("options", [("--full",), ()])
    def test_are_not_written(self, shop: Shop, options: tuple[str, ...]) -> None:
        for name, text in {
            "compose.yaml": self.COMPOSE,
            ".env": self.ENV,
            "app.py": 'from celery import Celery\napp = Celery("app", broker="redis://localhost")\n',
            "requirements.txt": "celery[redis]\n",
        }.items():
            (shop.root / name).write_text(text)

        written = shop("init", "--print", *options).stdout

        assert "PWENV" not in written
        assert "[services.redis]" in written
        assert not options or 'password = "${DB_PASS}"' in written


class TestGitignore:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, ".env.runtime\n.ports.json\n.backend-port.json\n"),
            ("node_modules\n.ports.json", "node_modules\n.ports.json\n.env.runtime\n.backend-port.json\n"),
            ("a\r\n", "a\r\n.env.runtime\r\n.ports.json\r\n.backend-port.json\r\n"),
        ],
    )
    def test_gets_the_files_that_a_start_writes(self, found: Shop, before: str | None, after: str) -> None:
        file = found.root / ".gitignore"
        if before is not None:
            file.write_bytes(before.encode())

        done = found("init")

        assert file.read_bytes().decode() == after
        assert "added to .gitignore: .env.runtime" in done.stderr + done.stdout

    def test_is_left_alone_when_it_has_them(self, found: Shop) -> None:
        found("init")
        before = (found.root / ".gitignore").read_bytes()

        done = found("init", "--force")

        assert (found.root / ".gitignore").read_bytes() == before
        assert "gitignore" not in done.stderr + done.stdout

    def test_is_left_alone_when_it_is_a_link_out_of_the_repository(self, found: Shop) -> None:
        other = found.root.parent / "other"
        other.write_text("precious\n")
        (found.root / ".gitignore").symlink_to(other)

        done = found("init")

        assert other.read_text() == "precious\n"
        assert "add to .gitignore: .env.runtime" in done.stderr + done.stdout
