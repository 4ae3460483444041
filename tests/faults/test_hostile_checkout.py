"""What a cloned repository may contain: links, named pipes and records under the names that devinit uses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.service import Service
from devinit.supervisor.record.state_file import ServiceRecord, State, encoder
from devinit.system.checkout import claim
from devinit.system.processes import boot_id, identity_of
from tests.places import state_of
from tests.supervisor.conftest import Shop, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOKING = [("status",), ("env",), ("why", "web"), ("ports",), ("logs",), ("doctor",)]
PRECIOUS = "precious\n"


@pytest.fixture
def precious(shop: Shop) -> Path:
    """A file outside of the checkout."""
    file = shop.root.parent / "precious.txt"
    file.write_text(PRECIOUS)
    return file


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the checkout."""
    with subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"]) as process:
        yield process
        process.kill()


class TestALinkInTheFolderThatDevinitKeeps:
    @pytest.mark.parametrize(
        "name", ["socket", "state.json", "supervisor.log", "supervisor.lock", "identity"]
    )
    def test_is_not_followed_by_any_command(self, shop: Shop, port: int, precious: Path, name: str) -> None:
        shop.service("web", port=port)
        (shop.root / ".devinit").mkdir()
        (shop.root / ".devinit" / name).symlink_to("../../precious.txt")

        for words in (*LOOKING, ("start", "--detach"), ("stop",)):
            shop(*words)

        assert precious.read_text() == PRECIOUS

    def test_is_not_followed_in_its_logs(self, shop: Shop, port: int, precious: Path) -> None:
        shop.service("web", "say=written", port=port)
        (shop.root / ".devinit" / "logs").mkdir(parents=True)
        (shop.root / ".devinit" / "logs" / "web.log").symlink_to(precious)

        shop.up()

        assert precious.read_text() == PRECIOUS
        assert "precious" not in shop("logs").stdout


class TestAFolderThatIsALink:
    def test_to_the_folder_above_is_refused_and_changes_nothing_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        above = shop.root.parent
        above.chmod(0o755)
        (shop.root / ".devinit").symlink_to("..")

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        assert f"{shop.root}/.devinit is a symbolic link" in refused.stderr
        assert "rm " in refused.stderr
        assert stat.S_IMODE(above.stat().st_mode) == 0o755
        assert not (above / ".gitignore").exists()

    def test_to_another_checkout_stops_nothing_there(
        self, shop: Shop, make_shop: Callable[[str], Shop], port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        evil = make_shop("evil")
        evil.service("web", port=port + 1)
        (evil.root / ".devinit").symlink_to(shop.root / ".devinit")

        for words in (("stop",), ("restart",), ("stop", "--force")):
            evil(*words)

        assert shop.status()["web"]["phase"] == "ready"


class TestARecordThatCameWithTheCheckout:
    def forged(self, shop: Shop, pid: int) -> bytes:
        """Return a record of a running service, as devinit would write it."""
        identity = identity_of(pid)
        service = Service(
            name="web", directory=shop.root, provider="process", command=f"touch {shop.root}/pwned"
        )
        worker = Service(
            name="worker", directory=shop.root, provider="process", command=f"touch {shop.root}/pwned"
        )
        state = State(
            root=os.path.realpath(shop.root),
            boot_id=boot_id(),
            services={
                "web": ServiceRecord(service=service, identity=identity),
                "worker": ServiceRecord(service=worker, proven=True),
            },
        )
        return encoder.encode(state)

    def test_ends_no_process_and_runs_no_command(
        self, shop: Shop, bystander: subprocess.Popen[bytes]
    ) -> None:
        shop.write()
        (shop.root / ".devinit").mkdir()
        (shop.root / ".devinit" / "state.json").write_bytes(self.forged(shop, bystander.pid))

        for words in (*LOOKING, ("stop",), ("stop", "--force"), ("doctor", "--fix")):
            shop(*words)

        assert bystander.poll() is None
        assert not (shop.root / "pwned").exists()

    def test_is_not_believed_about_a_process_without_mark_and_lease_wherever_it_lies(
        self, shop: Shop, bystander: subprocess.Popen[bytes]
    ) -> None:
        shop.write()
        Path(claim(shop.root), "state.json").write_bytes(self.forged(shop, bystander.pid))

        shop("stop")
        shop("stop", "--force")

        assert bystander.poll() is None
        assert f"process {bystander.pid} is not web of this checkout" in shop.log("supervisor")


class TestAFileThatIsNone:
    @pytest.mark.parametrize(
        "name",
        [
            "devinit.toml",
            ".ports.json",
            ".env.runtime",
            ".env",
            ".git",
            ".gitignore",
            ".backend-port.json",
            "package.json",
            "backend/package.json",
            "backend/requirements.txt",
            "backend/pyproject.toml",
            "backend/main.py",
            "docker-compose.yml",
            ".devinit/identity",
            ".devinit/state.json",
            ".devinit/supervisor.lock",
            ".devinit/logs",
        ],
    )
    def test_keeps_no_command_waiting(self, shop: Shop, port: int, name: str) -> None:
        if name != "devinit.toml":
            shop.service("backend", port=port)
        (shop.root / "backend").mkdir()
        (shop.root / ".devinit").mkdir()
        os.mkfifo(shop.root / name)

        for words in (*LOOKING, ("init", "--show"), ("start", "--detach"), ("stop",)):
            said = shop(*words)  # fails when the command does not end

            assert "Traceback" not in said.stderr

    @pytest.mark.parametrize("name", [".ports.json", ".env.runtime"])
    def test_is_refused_by_name_where_it_would_be_written(self, shop: Shop, port: int, name: str) -> None:
        shop.service("web", port=port)
        os.mkfifo(shop.root / name)

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        assert f"{shop.root / name} is a named pipe, not a file" in refused.stderr


class TestAFileOfManyGigabytes:
    """Git packs zeros so well that a repository of some kilobytes may hold one."""

    @pytest.mark.parametrize("name", ["devinit.toml", ".ports.json", ".env", ".env.runtime", ".gitignore"])
    def test_makes_no_command_crash_and_is_named_where_it_is_needed(
        self, shop: Shop, port: int, name: str
    ) -> None:
        shop.service("web", port=port)
        with (shop.root / name).open("wb") as file:
            file.truncate(20 * 2**30)

        said = [shop(*words) for words in (*LOOKING, ("start", "--detach"), ("stop",))]

        assert not [each.stderr for each in said if "MemoryError" in each.stderr]
        if name in ("devinit.toml", ".ports.json", ".env"):
            assert any(f"{name} is too large to be read" in each.stderr for each in said)


class TestAFileThatIsALink:
    @pytest.mark.parametrize("name", [".ports.json", ".env.runtime"])
    def test_out_of_the_checkout_is_refused_by_name(
        self, shop: Shop, port: int, precious: Path, name: str
    ) -> None:
        shop.service("web", port=port)
        (shop.root / name).symlink_to("../precious.txt")

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        assert f"{shop.root / name} is a link to {precious}, outside of {shop.root}" in refused.stderr
        assert precious.read_text() == PRECIOUS

    @pytest.mark.parametrize(
        ("name", "target", "content"),
        [
            (".env.runtime", ".env", "SECRET=mine\n"),
            (".ports.json", "src/work.json", '{"my": "work"}'),
            (".web-port.json", "src/work.json", '{"my": "work"}'),
        ],
    )
    def test_to_the_user_s_own_file_leaves_it_as_it_was(
        self, shop: Shop, port: int, name: str, target: str, content: str
    ) -> None:
        shop.service("web", port=port)
        shop.write(more='[discovery]\nweb = ".web-port.json"')
        (shop.root / "src").mkdir()
        (shop.root / target).write_text(content)
        (shop.root / name).symlink_to(target)

        said = shop("start", "--detach")
        ran = (state_of(shop.root) / "pids" / "web.pid").exists()
        shop("ports", "set", "web", str(port))
        shop("ports", "reset")
        shop("stop")

        assert (shop.root / target).read_text() == content
        assert f"{shop.root / name} is a" in said.stderr
        assert ran == (name == ".web-port.json")  # without that one, the service is as good as before
        assert (said.returncode == 0) == ran

    @pytest.mark.parametrize("folder", [".git", ".devinit"])
    def test_into_what_is_git_s_or_ours_is_refused_by_name(self, shop: Shop, port: int, folder: str) -> None:
        shop.service("web", port=port)
        (shop.root / folder).mkdir(mode=0o700, exist_ok=True)
        kept = shop.root / folder / "config"
        kept.write_text(PRECIOUS)
        (shop.root / ".env.runtime").symlink_to(f"{folder}/config")

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        assert f"{shop.root}/.env.runtime leads into {folder}" in refused.stderr
        assert kept.read_text() == PRECIOUS

    def test_as_the_folder_of_a_discovery_file_leaves_git_alone(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.write(more='[discovery]\nweb = "d/config"')
        (shop.root / ".git").mkdir()
        (shop.root / ".git" / "config").write_text(PRECIOUS)
        (shop.root / "d").symlink_to(".git")

        shop("start", "--detach")
        shop("stop")

        assert (shop.root / ".git" / "config").read_text() == PRECIOUS

    @pytest.mark.parametrize("name", [".ports.json", ".env.runtime"])
    def test_within_the_checkout_is_kept(self, shop: Shop, port: int, name: str) -> None:
        shop.service("web", port=port)
        (shop.root / "config").mkdir()
        (shop.root / name).symlink_to(f"config/{name}")

        shop.up()

        assert (shop.root / name).is_symlink()
        assert (shop.root / "config" / name).read_text()


class TestAWatcherInTheCheckout:
    def test_sees_no_change_while_services_print(self, shop: Shop, port: int) -> None:
        """`tailwindcss --watch` builds, and prints, on each change: a log in the checkout would never end."""
        shop.service("web", port=port)
        shop.service("worker", command="sh -c 'while :; do echo again; sleep 0.02; done'")
        shop.up()
        before = changes_in(shop.root)

        wait_until(
            lambda: shop.log("worker").count("again") > 50, state_of(shop.root) / "logs" / "worker.log"
        )
        shop("restart", "worker")
        shop("logs")
        shop("status")

        assert changes_in(shop.root) == before


def changes_in(root: Path) -> dict[str, int]:
    """Return when each file and folder below a folder was changed."""
    return {str(path): path.lstat().st_mtime_ns for path in (root, *root.rglob("*"))}


class TestAProgramOfTheRepository:
    """No command that only looks may run it."""

    @pytest.fixture
    def ran(self, shop: Shop) -> Path:
        """A file that is there when a program of the repository has run."""
        (shop.root / ".git").mkdir()
        (shop.root / ".git" / "HEAD").touch()
        (shop.root / ".tool-versions").write_text("nodejs 20.0.0\npython 3.99.0\n")
        return shop.root.parent / "ran"

    def program(self, shop: Shop, ran: Path, name: str) -> None:
        path = shop.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {ran}\necho v18.0.0\n")
        path.chmod(0o755)

    def look(self, shop: Shop, **environment: str) -> None:
        for words in LOOKING:
            shop(*words, **environment)

    def test_in_the_folder_that_devinit_keeps_is_not_run(self, shop: Shop, ran: Path) -> None:
        self.program(shop, ran, ".devinit/python")
        shop.service("web", command=".devinit/python app.py")

        self.look(shop)

        assert not ran.exists()

    def test_outside_of_the_project_s_folder_is_not_run(self, shop: Shop, ran: Path) -> None:
        self.program(shop, ran, "tools/node_modules/.bin/node")
        (shop.root / "app").mkdir()
        (shop.root / "app" / "devinit.toml").write_text(
            '[services.web]\ncommand = "node x.js"\ndirectory = "../tools"\n'
        )
        (shop.root / "tools" / ".tool-versions").write_text("nodejs 20.0.0\n")

        for words in LOOKING:
            shop("-C", str(shop.root / "app"), *words)

        assert not ran.exists()

    def test_that_is_called_python3_is_not_asked_for_a_module(self, shop: Shop, ran: Path) -> None:
        self.program(shop, ran, "node_modules/.bin/python3")
        (shop.root / "requirements.txt").write_text("alembic\n")
        shop.service("web", command="python3 -m alembic upgrade head")

        self.look(shop)

        assert not ran.exists()

    def test_is_not_run_by_the_stand_in_of_a_version_manager(self, shop: Shop, ran: Path) -> None:
        self.program(shop, ran, "evil/node")
        self.program(shop, ran, "evil/python3")
        shims = shop.root.parent / "asdf" / "shims"
        shims.mkdir(parents=True)
        for name in ("node", "python3"):
            (shims / name).write_text(f'#!/bin/sh\nexec ./evil/{name} "$@"\n')
            (shims / name).chmod(0o755)
        (shop.root / "requirements.txt").write_text("alembic\n")
        shop.service("web", command="node x.js")
        shop.service("db", command="python3 -m alembic upgrade head")

        self.look(shop, PATH=f"{shims}:{os.environ['PATH']}")

        assert not ran.exists()

    def test_is_not_named_by_data_that_came_with_it(self, shop: Shop, ran: Path) -> None:
        self.program(shop, ran, "evil/pg_config")
        data = shop.root / ".devinit" / "data" / "db"
        (data / "pg15").mkdir(parents=True)
        (data / "pg15" / "PG_VERSION").write_text("15\n")
        program = f'"origin":"system","file":"{shop.root}/evil/postgres","flavour":"postgres"'
        (data / "program.json").write_text(
            f'{{"program":{{{program},"version":"15.1","major":15,"size":1,"modified":1}}}}'
        )
        (shop.root / "migrations").mkdir()
        (shop.root / "migrations" / "1.sql").write_text("CREATE EXTENSION pgcrypto;\n")
        shop.server("db", provider="postgres")

        self.look(shop)

        assert not ran.exists()
        assert not (state_of(shop.root) / "data" / "db" / "program.json").exists()
        assert (state_of(shop.root) / "data" / "db" / "pg15" / "PG_VERSION").exists()


class TestAModuleOfTheRepository:
    def test_that_is_called_like_one_of_python_is_not_imported(self, shop: Shop) -> None:
        ran = shop.root.parent / "ran"
        (shop.root / "importlib").mkdir()
        (shop.root / "importlib" / "__init__.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
        (shop.root / "requirements.txt").write_text("alembic\n")
        shop.service("web", command="python3 -m alembic upgrade head")

        for words in LOOKING:
            shop(*words)

        assert not ran.exists()
