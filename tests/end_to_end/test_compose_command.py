"""Specifies `devinit compose`: the engine's own compose on ports that work, with a real engine."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container_engine import Engine, running_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """\
version: "3.7"
services:
  web:
    image: box:1
    command: /bin/busybox httpd -f -p 80 -h /www
    ports: ["127.0.0.1:8080:80"]
    environment:
      API_URL: http://localhost:8090/v1
      PRICE: "$$5"
      WEB_URL:
    env_file: .env.web
    volumes: ["./www:/www:ro"]
    depends_on: [api]
  api:
    image: box:1
    command: ["/bin/busybox", "httpd", "-f", "-p", "90"]
    ports: ["8090:90"]
  tool:
    image: box:1
    command: /bin/busybox sleep 1
    profiles: [tools]
    ports: ["8123:80"]
"""
SECONDS = 120


class Folder:
    """A project with a compose file, and devinit beside an engine."""

    def __init__(self, top: Path, engine: Engine, config: str, name: str = "shop") -> None:
        self.root, self.engine, self.top = top / name, engine, top
        (self.root / "www").mkdir(parents=True)
        (self.root / "www" / "index.html").write_text("hello\n")
        (self.root / ".env.web").write_text("ORIGIN=http://localhost:8080\n")
        (self.root / "docker-compose.yml").write_text(FILE)
        for each in ("state", "run", "home"):
            (top / each).mkdir(mode=0o700, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(top / "home"),
            "XDG_STATE_HOME": str(top / "state"),
            "XDG_RUNTIME_DIR": str(top / "run"),
            "DOCKER_HOST": f"unix://{engine.socket}",
            "DOCKER_CONFIG": config,
            "NO_COLOR": "1",
        }

    def devinit(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*self.engine.inside, sys.executable, "-P", "-m", "devinit", *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def ports(self) -> dict[str, int]:
        """Return where the running containers of the project are published, by service."""
        form = '{{.Label "com.docker.compose.service"}} {{.Ports}}'
        label = f"label=com.docker.compose.project={self.root.name}"
        lines = self.engine.docker("ps", "--filter", label, "--format", form).splitlines()
        return {each.split()[0]: int(found[1]) for each in lines if (found := re.search(r":(\d+)->", each))}

    def within(self, service: str) -> dict[str, str]:
        """Return the environment of a container."""
        label = f"label=com.docker.compose.service={service}"
        (name,) = self.engine.docker("ps", "-q", "--filter", label).split()
        lines = self.engine.docker("exec", name, "/bin/busybox", "env").splitlines()
        return dict(each.split("=", 1) for each in lines)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as found:
        yield found


def plugin_of(environment: dict[str, str]) -> bool:
    """Return whether `docker compose` is there."""
    return (
        subprocess.run(
            ["docker", "compose", "version"], env=environment, capture_output=True, check=False
        ).returncode
        == 0
    )


@pytest.fixture(params=["docker-compose", "docker compose"])
def shop(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Folder]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        top = Path(name).resolve()
        (top / "none").mkdir()
        config = str(top / "none")
        if request.param == "docker compose":
            config = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
        found = Folder(top, engine, config)
        if request.param == "docker compose" and not plugin_of(found.environment):
            pytest.skip("the compose plugin of docker is not installed")
        if request.param == "docker-compose" and (
            shutil.which("docker-compose") is None or plugin_of(found.environment)
        ):
            pytest.skip("docker-compose is not installed, or stands behind the plugin of docker")
        yield found
        for container in engine.docker("ps", "-aq").split():
            engine.docker("rm", "-f", container)


@pytest.fixture
def listener(engine: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """A program on port 8080."""
    script = (
        "import socket, signal; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
        "s.bind(('127.0.0.1', 8080)); s.listen(); print(flush=True); signal.pause()"
    )
    with subprocess.Popen([*engine.inside, sys.executable, "-c", script], stdout=subprocess.PIPE) as found:
        assert found.stdout is not None
        found.stdout.readline()
        yield found
        found.kill()


@pytest.mark.usefixtures("listener")
class TestAPublishedPort:
    def test_that_is_taken_moves_and_addresses_follow(self, shop: Folder) -> None:
        said = shop.devinit("compose", "--", "up", "-d")

        assert re.search(r"web is published on 8081: 8080 is held by .*python", said)
        assert "web: ORIGIN follows" in said
        assert shop.ports() == {"web": 8081, "api": 8090}
        values = shop.within("web")
        assert values["ORIGIN"] == "http://localhost:8081"
        assert values["API_URL"] == "http://localhost:8090/v1"
        assert values["PRICE"] == "$5"
        assert values["WEB_URL"] == "http://localhost:8081"
        assert (shop.root / "docker-compose.yml").read_text() == FILE

    def test_stays_where_its_container_is(self, shop: Folder, listener: subprocess.Popen[bytes]) -> None:
        shop.devinit("compose", "up", "-d")
        before = shop.engine.docker("ps", "-q")
        listener.kill()
        listener.wait()

        said = shop.devinit("compose", "up", "-d")

        assert "is published on" not in said
        assert shop.engine.docker("ps", "-q") == before

    def test_is_in_a_file_that_no_other_user_reads(self, shop: Folder) -> None:
        said = shop.devinit("compose", "config")

        assert "8081" in said
        (path,) = (shop.top / "state").rglob("compose-shop.yaml")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_is_no_other_project_s_until_it_is_given_up(self, shop: Folder) -> None:
        shop.devinit("compose", "up", "-d")
        listed = shop.devinit("ports", "--all")
        assert re.search(r"8081 +compose\.web +shop +leased", listed)

        shop.devinit("compose", "stop")
        hint = f"`devinit -C {shop.root} compose -- down` gives it up"
        assert hint in shop.devinit("-C", str(shop.top), "ports", "who", "8081")
        assert shop.devinit("ports", "find", "8080").split()[-1] == "8082"

        shop.devinit("compose", "--", "down")
        assert "no project has a port" in shop.devinit("ports", "--all")
        assert shop.devinit("ports", "find", "8081").split()[-1] == "8081"


class TestContainersOfCompose:
    def test_are_neighbours_with_names(self, shop: Folder) -> None:
        shop.devinit("compose", "up", "-d")

        said = shop.devinit("ports", "who", "8080")

        assert re.search(r"container shop[-_]web[-_]1 \(web of the Compose project shop\)", said)

    def test_are_named_where_a_service_wants_their_port(self, shop: Folder) -> None:
        shop.devinit("compose", "up", "-d", "api")
        other = shop.top / "other"
        other.mkdir()
        (other / "devinit.toml").write_text(
            f'[services.api]\ncommand = "{sys.executable} -m http.server ${{PORT}}"\nport = 8090\n'
        )

        said = shop.devinit("-C", str(other), "start", "--on-conflict", "fail", code=3)
        shop.devinit("-C", str(other), "stop")

        assert re.search(r"8090 .*container shop[-_]api[-_]1 \(api of the Compose project shop\)", said)

    def test_of_another_checkout_are_not_replaced(self, shop: Folder) -> None:
        shop.devinit("compose", "up", "-d")
        (shop.top / "second").mkdir()
        second = Folder(shop.top / "second", shop.engine, shop.environment["DOCKER_CONFIG"])
        second.environment = shop.environment

        said = second.devinit("compose", "up", "-d", code=2)
        assert f"the compose project shop has containers of {shop.root}" in said

        second.devinit("compose", "--", "-p", "shop-2", "up", "-d")
        assert shop.ports() == {"web": 8080, "api": 8090}
        second.devinit("compose", "--", "-p", "shop-2", "down")
        assert shop.ports() == {"web": 8080, "api": 8090}


class TestOtherCommands:
    def test_are_handed_over_with_their_exit_codes(self, shop: Folder) -> None:
        shop.devinit("compose", "up", "-d")

        assert "web" in shop.devinit("compose", "ps")
        shop.devinit("compose", "exec", "-T", "web", "/bin/busybox", "sh", "-c", "exit 7", code=7)

    def test_have_what_profiles_turn_on(self, shop: Folder) -> None:
        shop.devinit("compose", "--", "--profile", "tools", "up", "-d", "tool")
        assert "tool" in shop.engine.docker("ps", "-a", "--format", "{{.Names}}")

    @pytest.mark.parametrize(
        "text",
        ["services:\n\tweb: {}\n", "services: [", "include: [missing.yaml]\nservices: {}\n", "{{ x }}\n"],
    )
    def test_say_what_compose_says_of_a_file_that_it_cannot_read(self, shop: Folder, text: str) -> None:
        (shop.root / "docker-compose.yml").write_text(text)

        done = subprocess.run(
            [sys.executable, "-P", "-m", "devinit", "compose", "up"],
            cwd=shop.root,
            env=shop.environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode not in (0, 70)
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr or "compose/cli" in done.stderr
