"""What other users of the machine, names with a meaning to a shell, and the services themselves must not reach."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.control.client import connect
from devinit.errors import SupervisorError
from devinit.system.paths import socket_path
from tests.places import state_of
from tests.supervisor.conftest import Shop
from tests.system.conftest import NOBODY, Unprivileged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Machine
    from tests.supervisor.conftest import FreePorts

SECRET = "correct-horse-battery"
WITH_MEANING = [
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "a' || touch pwned #",
    'a"; touch pwned; "',
    "../pwned",
    "..",
    "/tmp/pwned",
    "a/b",
    "-rf",
    "a b",
    "",
]
LISTENING = "0A"
"""In the column of states of /proc/net/tcp."""


@pytest.fixture
def another_user() -> Unprivileged:
    """Somebody else, as whom a function is called."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return Unprivileged()


@pytest.fixture
def open_shop() -> Iterator[Shop]:
    """A project in a folder that everybody may enter and read, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    folder.chmod(0o755)
    shop = Shop(folder / "shop")
    yield shop
    shop.finish()
    shutil.rmtree(folder)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def greeting(path: Path) -> str:
    """Return what is heard at a socket, or why nothing is."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        try:
            connection.connect(str(path))
            return connection.recv(1000).decode() or "hung up"
        except OSError as error:
            return type(error).__name__


def open_to_all(path: Path) -> None:
    """Open a socket and the way to it, as a careless `chmod -R` would."""
    path.chmod(0o777)
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)


class TestTheControlSocket:
    def test_is_the_users_own_in_a_folder_of_the_users_own(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        path = socket_path(shop.root)

        assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
        assert {path.stat().st_uid, path.parent.stat().st_uid} == {os.getuid()}

    def test_is_out_of_reach_for_another_user(
        self, shop: Shop, port: int, another_user: Unprivileged
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        path = socket_path(shop.root)

        assert another_user(lambda: greeting(path)) == "PermissionError"

    def test_hangs_up_on_another_user_whom_somebody_let_through(
        self, shop: Shop, port: int, another_user: Unprivileged
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        path = socket_path(shop.root)
        open_to_all(path)

        assert another_user(lambda: greeting(path)) == "hung up"
        assert "hello" in greeting(path)

    def test_of_another_user_is_told_nothing(self, machine: Machine, another_user: Unprivileged) -> None:
        path = machine.runtime / "theirs" / "shop.sock"
        path.parent.mkdir()

        def ask() -> str:
            try:
                connect(path)
            except SupervisorError as error:
                return error.message
            return "connected"

        with socket.socket(socket.AF_UNIX) as theirs:
            theirs.bind(str(path))
            theirs.listen()
            open_to_all(path)
            said = another_user(ask)
            asking, _ = theirs.accept()
            with asking:
                assert asking.recv(1) == b""

        assert said == (
            f"another user (uid {os.getuid()}, pid {os.getpid()}) listens in place of this project's supervisor"
        )


class TestAFolderForTheSocketThatSomebodyElsePrepared:
    @pytest.mark.parametrize("prepared", ["a link", "of another user", "open to others"])
    def test_is_refused_by_its_name_and_nothing_is_started(
        self, shop: Shop, port: int, machine: Machine, tmp_path: Path, prepared: str
    ) -> None:
        shop.service("web", "note=notes", port=port)
        folder = machine.runtime / "devinit"
        if prepared == "a link":
            folder.symlink_to(tmp_path)
        else:
            folder.mkdir(mode=0o700)
        if prepared == "of another user":
            if os.geteuid() != 0:
                pytest.skip("only root can give a folder away")
            os.chown(folder, NOBODY, NOBODY)
        if prepared == "open to others":
            folder.chmod(0o777)

        refused = shop("start")

        assert refused.returncode == 2
        assert f"{folder} cannot hold the control socket: " in refused.stderr
        assert shop.notes() == []
        assert shop.supervisors() == []


class TestTheLockOnData:
    def test_cannot_be_held_by_another_user_whatever_the_umask(
        self, open_shop: Shop, free_ports: FreePorts, another_user: Unprivileged
    ) -> None:
        for name, port in zip(("postgres", "redis"), free_ports(2), strict=True):
            open_shop.server(name, provider=name, port=port)
        words = ["sh", "-c", 'umask 0; exec "$@"', "sh", *open_shop.program(), "start", "--detach"]
        assert subprocess.run(words, check=False, capture_output=True).returncode == 0

        locks = [*state_of(open_shop.root).glob("data/*/in-use-*.lock")]

        def opened() -> list[str]:
            return [str(path) for path in locks if os.access(path, os.R_OK) or os.access(path, os.W_OK)]

        assert len(locks) == 2
        assert [mode_of(path) for path in locks] == [0o600, 0o600]
        assert [mode_of(path.parent) for path in locks] == [0o700, 0o700]
        assert another_user(opened) == []


class TestFilesWithSecrets:
    def test_cannot_be_read_by_anybody_else_whatever_the_umask(
        self, open_shop: Shop, free_ports: FreePorts, another_user: Unprivileged
    ) -> None:
        ports = free_ports(2)
        open_shop.server("postgres", provider="postgres", port=ports[0], password=SECRET)
        open_shop.service("backend", "say=" + SECRET, port=ports[1], depends_on=["postgres"])
        words = ["sh", "-c", 'umask 0; exec "$@"', "sh", *open_shop.program(), "start", "--detach"]
        assert subprocess.run(words, check=False, capture_output=True).returncode == 0

        # What the developer wrote is the developer's own business.
        private = state_of(open_shop.root)
        assert {".env.runtime", "devinit.toml"} <= {*with_secret(open_shop.root)}
        assert "backend.log" in with_secret(private)
        assert another_user(lambda: with_secret(open_shop.root)) == ["devinit.toml"]
        assert another_user(lambda: with_secret(private)) == []
        assert mode_of(private) == 0o700
        secret = [
            open_shop.root / ".env.runtime",
            open_shop.root / ".backend-port.json",
            *(private / name for name in ("state.json", "caller.json", "supervisor.log", "socket")),
            *(private / "logs").iterdir(),
            *(private / "data").rglob("*.pgpass"),
        ]
        assert {path.name: oct(mode_of(path)) for path in secret} == {path.name: "0o600" for path in secret}
        assert not list((private / "data").rglob("*.pw"))

    def test_are_closed_to_others_where_their_folder_was_open(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        private = shop.root / ".devinit"
        private.mkdir()
        private.chmod(0o777)

        shop.up()

        assert mode_of(private) == 0o700


class TestASecretOfOneService:
    def test_is_hidden_wherever_it_would_be_shown_and_after_a_stop_as_well(
        self, shop: Shop, port: int
    ) -> None:
        (shop.root / ".env").write_text("CLOUD_TOKEN=from-dot-env\n")
        (shop.root / "more.env").write_text("STRIPE_API_KEY=sk-from-a-file\n")
        words = "from-dot-env,sk-from-a-file,its-own-8000"
        own = {"PREFIX": "its-own", "JWT_SECRET": "${PREFIX}-8000"}
        shop.service("web", f"say={words}", port=port, env=own, env_file="more.env")
        shop.service("worker", f"say={words}", "exit=1", env=own, env_file="more.env")
        failed = shop("start", "--detach")
        told = [failed.stderr, shop("logs").stdout, shop("logs", "--json").stdout]
        told += [shop("why", name).stdout for name in ("web", "worker")]
        shop.kill_supervisor()
        told.append(shop("why", "web").stdout)
        assert shop("stop").returncode == 0
        told.append(shop("logs", "web").stdout)

        assert [text for text in told if "***,***,***" not in text] == []
        assert [text for text in told for word in words.split(",") if word in text] == []
        assert words in shop.log("web")
        assert mode_of(state_of(shop.root) / "secrets") == 0o600


def with_secret(root: Path) -> list[str]:
    """Return the files below a folder that have the secret in them, as far as they can be read."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                content = Path(folder, name).read_bytes()
            except PermissionError:
                continue
            if SECRET.encode() in content:
                found.append(name)
    return found


class TestANameWithAMeaningToAShell:
    @pytest.mark.parametrize("name", WITH_MEANING)
    def test_is_refused_for_a_service_and_nothing_is_run(self, shop: Shop, name: str) -> None:
        before = set(shop.root.parent.rglob("*"))
        (shop.root / "devinit.toml").write_text(f"[services.{json.dumps(name)}]\ncommand = 'sleep 1000'\n")

        refused = shop("start")

        assert refused.returncode == 2
        assert "not a name for a service" in refused.stderr
        assert not [path for path in set(shop.root.parent.rglob("*")) - before if "pwned" in str(path)]
        assert not Path("/tmp/pwned").exists()

    def test_of_a_project_and_of_its_folder_is_harmless(
        self, tmp_path: Path, port: int, free_ports: FreePorts
    ) -> None:
        shop = Shop(tmp_path / 'sh op;touch pwned $(touch pwned)`touch pwned`"')
        try:
            shop.server("redis", provider="redis", port=free_ports(1)[0])
            shop.service(
                "web",
                command="exec python3 -m http.server ${PORT} --bind 127.0.0.1",
                port=port,
                before_start="true && true",
                env={"HERE": "${DEVINIT_PROJECT}"},
            )
            shop.write(more='[project]\nname = "$(touch pwned)\'; touch pwned; ../.."')
            shop.up()

            shell = 'eval "$("$@" env --format shell)"; . ./.env.runtime; echo "$DEVINIT_PROJECT"'
            said = subprocess.run(
                ["sh", "-c", shell, "sh", *shop.program()],
                cwd=shop.root,
                capture_output=True,
                text=True,
                check=True,
            )

            assert said.stdout == f"{shop.root}\n"
            for words in (("status",), ("logs", "-n", "5"), ("restart", "web"), ("stop",)):
                assert shop(*words).returncode == 0
            assert not list(tmp_path.rglob("pwned"))
            shop.expect_nothing_left()
        finally:
            shop.finish()

    @pytest.mark.parametrize("words", [("start",), ("stop",), ("logs",), ("why",), ("ports", "set")])
    def test_is_refused_where_a_service_is_named(self, shop: Shop, port: int, words: tuple[str, ...]) -> None:
        shop.service("web", port=port)
        secret = state_of(shop.root) / "pwned.log"
        secret.parent.mkdir(parents=True)
        secret.write_text(SECRET)
        shop.up()
        more = ("4000",) if words[0] == "ports" else ()

        refused = shop(*words, "../pwned", *more)

        assert refused.returncode == 2
        assert "../pwned" in refused.stderr
        assert SECRET not in refused.stdout + refused.stderr


class TestAProcessOfAService:
    def test_has_its_own_leases_and_nothing_of_ours(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(3)
        look = "ls -l /proc/self/fd"
        shop.service(
            "web",
            port=ports[0],
            extra_ports={"debugger": ports[1]},
            setup=[f"{look} > setup"],
            before_start=f"{look} > before",
            ready={"exec": f"{look} > probe"},
        )
        shop.service("other", port=ports[2])
        shop.up()
        status = shop.status()
        web, other, supervisor = (
            descriptors_of(pid) for pid in (status["web"]["pid"], status["other"]["pid"], shop.supervisor())
        )

        assert leases_in(web) == {f"{ports[0]}.lock", f"{ports[1]}.lock"}
        assert leases_in(other) == {f"{ports[2]}.lock"}
        # Nameless objects have no names to compare.
        shared = ("/leases/", "/dev/null", "anon_inode:")
        private = {each for each in supervisor if not any(part in each for part in shared)}
        assert any(each.endswith("supervisor.lock") for each in private)
        assert not (web | other) & private
        for name in ("setup", "before", "probe"):
            said = (shop.root / name).read_text()
            assert "socket:" not in said
            assert ".lock" not in said


def descriptors_of(pid: int) -> set[str]:
    """Return what a process has open."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(each.readlink()))
    return found


def leases_in(descriptors: set[str]) -> set[str]:
    return {each.rpartition("/")[2] for each in descriptors if "/leases/" in each}


class TestTheSupervisor:
    def test_listens_to_no_network(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.service("waits", port=ports[1], depends_on=["blocked"])
        shop.service("blocked", "never", ready={"exec": "test -e never", "timeout": 600})
        start = shop.begin("start")
        start.until(type="phase", service="web", phase="ready")
        sockets = {each for each in descriptors_of(shop.supervisor()) if each.startswith("socket:")}

        listening = set()
        for table in ("tcp", "tcp6"):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == LISTENING:
                    listening.add(f"socket:[{fields[9]}]")

        assert listening
        assert not sockets & listening
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ports[1]))
