"""Specifies a service in a container, from devinit.toml to the engine and back, with a real engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devinit.system.processes import Process, identity_of
from tests.container_engine import Engine, running_engine

WEB = """
[services.web]
provider = "docker"
image = "box:1"
command = "/bin/busybox httpd -f -v -p 80 -h /www"
port = {port}
container_port = 80
volumes = ["./www:/www:ro", "state:/state"]
env = {{ GREETING = "hello" }}
"""
SECONDS = 60


class Checkout:
    """A checkout beside an engine, in which devinit runs."""

    def __init__(self, folder: Path, engine: Engine, name: str = "shop") -> None:
        self.root, self.engine = folder / name, engine
        (self.root / "www").mkdir(parents=True)
        (self.root / "www" / "index.html").write_text("hello from the container\n")
        for each in ("state", "run", "home"):
            (folder / each).mkdir(mode=0o700, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "DOCKER_HOST": f"unix://{engine.socket}",
            "NO_COLOR": "1",
        }

    def configure(self, text: str) -> None:
        (self.root / "devinit.toml").write_text(text)

    def devinit(self, *words: str, code: int | None = 0, **environment: str) -> str:
        done = subprocess.run(
            [*self.engine.inside, sys.executable, "-P", "-m", "devinit", *words],
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        said = done.stdout + done.stderr
        assert code is None or done.returncode == code, said
        return said

    def status(self, name: str = "web") -> dict[str, Any]:
        text = self.devinit("status", "--json", code=None)
        found = json.loads(text)
        return {"supervisor": found["supervisor"], **{each["name"]: each for each in found["services"]}[name]}

    def until(self, phase: str, name: str = "web") -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while (found := self.status(name))["phase"] != phase:
            assert time.monotonic() < deadline, found
        return found

    def containers(self) -> list[str]:
        """Return the containers of this checkout that there are, whether they run or not."""
        label = f"label=dev.devinit.root={self.root}"
        return self.engine.docker("ps", "-aq", "--no-trunc", "--filter", label).split()

    def page(self, port: int) -> str:
        script = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        return subprocess.run(
            [*self.engine.inside, sys.executable, "-c", script, f"http://127.0.0.1:{port}/index.html"],
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        ).stdout.strip()

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.engine.docker("inspect", container))[0]
        return found


def load_for_another_machine(engine: Engine, name: str, architecture: str) -> None:
    """Load an image that says that it is for other machines."""
    saved = engine.folder / "saved"
    saved.mkdir(exist_ok=True)
    engine.docker("save", "-o", str(saved / "image.tar"), "box:1")
    subprocess.run(["tar", "-xf", "image.tar"], cwd=saved, check=True)
    (manifest,) = json.loads((saved / "manifest.json").read_text())
    config = json.loads((saved / manifest["Config"]).read_text())
    (saved / "other.json").write_text(json.dumps({**config, "architecture": architecture}))
    changed = [{**manifest, "Config": "other.json", "RepoTags": [name]}]
    (saved / "manifest.json").write_text(json.dumps(changed))
    subprocess.run(
        ["tar", "-cf", "other.tar", "manifest.json", "other.json", *manifest["Layers"]], cwd=saved, check=True
    )
    engine.docker("load", "-i", str(saved / "other.tar"))


def kill(pid: int) -> None:
    """End a process of the checkout, which cannot do anything about it."""
    identity = identity_of(pid)
    assert identity is not None
    process = Process.open(identity)
    assert process is not None
    with process:
        process.send(signal.SIGKILL)
        assert process.wait(SECONDS)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as found:
        yield found


@pytest.fixture
def checkout(engine: Engine) -> Iterator[Checkout]:
    folder = Path(tempfile.mkdtemp(prefix="dv-shop-", dir="/tmp"))
    found = Checkout(folder, engine)
    yield found
    found.devinit("stop", "--force", code=None)
    for container in found.containers():
        engine.docker("rm", "-f", container)
    shutil.rmtree(folder, ignore_errors=True)


class TestAServiceInAContainer:
    def test_is_reached_on_this_machine_alone_and_gone_after_a_stop(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22010))

        checkout.devinit("start")

        (container,) = checkout.containers()
        found = checkout.inspect(container)
        assert checkout.page(22010) == "hello from the container"
        assert found["NetworkSettings"]["Ports"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "22010"}]}
        assert found["HostConfig"]["Privileged"] is False
        assert "GREETING=hello" in found["Config"]["Env"]
        assert not any(each.startswith(("HOME=/tmp", "DOCKER_HOST=")) for each in found["Config"]["Env"])
        assert "response:200" in checkout.devinit("logs", "web")
        checkout.devinit("stop")
        assert checkout.containers() == []

    def test_reports_what_its_control_group_uses(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22020))
        checkout.devinit("start")
        pid = checkout.status()["pid"]
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        assert checkout.status()["memory_bytes"] > own

    def test_runs_on_without_its_supervisor_and_is_adopted(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22030))
        checkout.devinit("start")
        before, containers = checkout.status(), checkout.containers()

        kill(before["supervisor"]["pid"])

        after = checkout.status()
        assert (after["phase"], after["pid"]) == ("ready", before["pid"])
        assert checkout.containers() == containers
        checkout.page(22030)
        assert checkout.devinit("logs", "web").count("response:200") == 1

    def test_is_never_doubled_when_all_that_watched_it_was_killed(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22040))
        checkout.devinit("start")
        before = checkout.status()
        kill(before["supervisor"]["pid"])
        kill(before["pid"])
        assert len(checkout.containers()) == 1

        checkout.devinit("start")

        assert len(checkout.containers()) == 1
        assert checkout.status()["port"] == 22040
        assert checkout.page(22040) == "hello from the container"

    def test_is_ended_also_by_a_stop_that_asks_nothing(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22050))
        checkout.devinit("start")

        checkout.devinit("stop", "--force")

        assert checkout.containers() == []

    def test_leaves_a_container_alone_that_has_its_name_and_its_labels(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        checkout.configure(WEB.format(port=22060))
        checkout.devinit("start")
        (container,) = checkout.containers()
        found = checkout.inspect(container)
        checkout.devinit("stop")
        forged = {**found["Config"]["Labels"], "dev.devinit.token": "guessed"}
        labels = [word for name, value in forged.items() for word in ("--label", f"{name}={value}")]
        impostor = engine.docker(
            *("run", "-d", "--name", found["Name"].removeprefix("/"), *labels),
            *("box:1", "/bin/busybox", "sleep", "1000"),
        )

        said = checkout.devinit("start", code=None)

        assert "is on no record of this checkout" in said
        assert checkout.containers() == [impostor]

    def test_moves_when_its_port_is_taken(self, checkout: Checkout, engine: Engine) -> None:
        other = engine.docker(
            "run", "-d", "-p", "127.0.0.1:22070:80", "box:1", "/bin/busybox", "httpd", "-f", "-p", "80"
        )
        checkout.configure(WEB.format(port=22070))
        try:
            checkout.devinit("start", "--on-conflict", "move")

            assert checkout.status()["port"] == 22071
            assert checkout.page(22071) == "hello from the container"
        finally:
            engine.docker("rm", "-f", other)

    def test_ends_with_the_code_of_its_program_and_its_last_lines(self, checkout: Checkout) -> None:
        checkout.configure(
            '[services.web]\nprovider = "docker"\nimage = "box:1"\nport = 22080\n'
            "command = \"/bin/busybox sh -c 'echo it cannot go on; exit 7'\"\n"
        )

        said = checkout.devinit("start", code=None)

        assert "7" in checkout.status()["reason"]
        assert "it cannot go on" in said
        assert checkout.containers() == []


class TestReadiness:
    def test_is_not_that_the_engine_accepts_connections(self, checkout: Checkout) -> None:
        slow = "/bin/busybox sh -c '/bin/busybox sleep 2; exec /bin/busybox httpd -f -p 80'"
        checkout.configure(WEB.format(port=22110).replace("/bin/busybox httpd -f -v -p 80 -h /www", slow))

        said = checkout.devinit("start")

        seconds = re.search(r"ready after ([0-9.]+) s", said)
        assert seconds is not None, said
        assert float(seconds[1]) > 2

    def test_is_what_a_command_in_the_container_says(self, checkout: Checkout) -> None:
        text = WEB.format(port=22120) + 'ready = { exec = "/bin/busybox test -f /state/ready" }\n'
        late = (
            "/bin/busybox sh -c 'sleep=1; /bin/busybox touch /state/ready; exec /bin/busybox httpd -f -p 80'"
        )
        checkout.configure(text.replace("/bin/busybox httpd -f -v -p 80 -h /www", late))

        checkout.devinit("start")

        assert checkout.status()["phase"] == "ready"

    def test_is_what_its_page_and_its_output_say(self, checkout: Checkout) -> None:
        checkout.configure(
            WEB.format(port=22130)
            + 'ready = { http = "/index.html" }\n'
            + WEB.format(port=22131)
            .replace("services.web", "services.talks")
            .replace("/bin/busybox httpd -f", "/bin/busybox sh -c 'echo it is up; exec /bin/busybox httpd -f")
            .replace("-h /www", "-h /www'")
            + 'ready = { log = "it is up" }\n'
        )

        checkout.devinit("start")

        assert checkout.status("talks")["phase"] == checkout.status()["phase"] == "ready"

    def test_names_the_port_on_which_the_program_listens_instead(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22140).replace("-p 80", "-p 8080") + "ready = { timeout = 3 }\n")

        said = checkout.devinit("start", code=None)

        assert "it listens on 8080 instead of 80" in said
        assert "set `container_port`" in said
        wrong = WEB.format(port=22140).replace("-p 80", "-p 8080")
        checkout.configure(wrong.replace("container_port = 80", "container_port = 8080"))
        checkout.devinit("start")
        assert checkout.status()["phase"] == "ready"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("volume", "words"),
        [
            ("/:/host", "lies outside of the project"),
            ("/var/run/docker.sock:/var/run/docker.sock", "lies outside of the project"),
            ("../other:/x", "leads out of the project"),
            ("~/.ssh:/x", "lies outside of the project"),
            ("data", "is not SOURCE:/PATH"),
        ],
    )
    def test_files_of_this_machine(self, checkout: Checkout, volume: str, words: str) -> None:
        checkout.configure(WEB.format(port=22210).replace("./www:/www:ro", volume))

        assert words in checkout.devinit("start", code=2)
        assert checkout.containers() == []

    def test_a_link_that_leads_out_of_the_project(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22220).replace("./www", "./link"))
        (checkout.root / "link").symlink_to("/etc")

        assert "./link leads out of the project, to /etc" in checkout.devinit("start", code=None)

    @pytest.mark.parametrize("file", ["../other.env", "link.env"])
    def test_values_of_a_file_outside_of_the_project(self, checkout: Checkout, file: str) -> None:
        other = checkout.root.parent / "other.env"
        other.write_text("TOKEN=of-another-project\n")
        (checkout.root / "link.env").symlink_to(other)
        checkout.configure(WEB.format(port=22230) + f'env_file = "{file}"\n')

        said = checkout.devinit("start", code=None)

        assert f"web: {file} leads out of the project, to {other.resolve()}" in said
        assert checkout.containers() == []
        assert checkout.containers() == []

    def test_a_volume_of_another_checkout(self, checkout: Checkout, engine: Engine) -> None:
        checkout.configure(WEB.format(port=22230))
        checkout.devinit("start")
        (container,) = checkout.containers()
        (volume,) = [
            each["Name"] for each in checkout.inspect(container)["Mounts"] if each["Type"] == "volume"
        ]
        checkout.devinit("stop")
        engine.docker("volume", "rm", volume)
        engine.docker("volume", "create", "--label", "dev.devinit.project=blog-1@2", volume)

        said = checkout.devinit("start", code=None)

        assert f"the volume {volume} belongs to blog-1@2" in said


class TestTheDataOfAContainer:
    def test_moves_with_its_checkout_and_is_not_shared_with_the_next_one_in_that_folder(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        checkout.configure(WEB.format(port=22240).replace("-h /www", "-h /state"))
        checkout.devinit("start")
        (container,) = checkout.containers()
        engine.docker("exec", container, "/bin/busybox", "sh", "-c", "echo kept > /state/index.html")
        checkout.devinit("stop")
        moved = checkout.root.rename(checkout.root.parent / "moved")
        other = Checkout(checkout.root.parent, engine)
        other.configure(WEB.format(port=22245))
        checkout.root = moved
        try:
            checkout.devinit("start")
            other.devinit("start")

            assert checkout.page(22240) == "kept"
            (mine,), (others,) = (
                [
                    mount["Name"]
                    for container in each.containers()
                    for mount in checkout.inspect(container)["Mounts"]
                    if mount["Type"] == "volume"
                ]
                for each in (checkout, other)
            )
            assert others != mine
        finally:
            other.devinit("stop", code=None)

    def test_is_not_given_to_two_containers_when_the_checkout_moved_after_all_was_killed(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        checkout.configure(WEB.format(port=22247))
        checkout.devinit("start")
        found = checkout.status()
        (container,) = checkout.containers()
        for pid in (found["supervisor"]["pid"], found["pid"]):
            kill(pid)
        checkout.root = checkout.root.rename(checkout.root.parent / "moved")

        checkout.devinit("start")

        (other,) = engine.docker("ps", "-q", "--no-trunc").split()
        assert other != container
        assert checkout.containers() == [other]

    def test_that_ends_with_it_is_named(self, checkout: Checkout, engine: Engine) -> None:
        engine.docker("import", "-c", "VOLUME /data", str(engine.folder / "image.tar"), "keeps:1")
        text = '[services.db]\nprovider = "docker"\nimage = "keeps:1"\ncommand = "/bin/busybox sleep 1000"\n'
        checkout.configure(text)

        said = checkout.devinit("start")

        assert 'a stop removes what it has written to /data; volumes = ["data:/data"] keeps it' in said
        checkout.devinit("stop")
        checkout.configure(f'{text}volumes = ["data:/data"]\n')
        assert "removes" not in checkout.devinit("start")


class TestAnImage:
    def test_that_is_not_there_offline(self, checkout: Checkout) -> None:
        checkout.configure(WEB.format(port=22310).replace("box:1", "registry.invalid/nothing:1"))

        said = checkout.devinit("start", code=None)

        assert "registry.invalid/nothing:1 is not on this machine, and its registry cannot be reached" in said

    def test_for_another_machine(self, checkout: Checkout, engine: Engine) -> None:
        load_for_another_machine(engine, "far:1", "s390x")
        checkout.configure(WEB.format(port=22320).replace("box:1", "far:1"))

        assert "image far:1 is for s390x, and the container engine runs" in checkout.devinit(
            "start", code=None
        )

    def test_that_exposes_several_ports(self, checkout: Checkout, engine: Engine) -> None:
        engine.docker(
            "import", "-c", "EXPOSE 80", "-c", "EXPOSE 443", str(engine.folder / "image.tar"), "two:1"
        )
        text = WEB.format(port=22330).replace("box:1", "two:1")
        checkout.configure(text.replace("container_port = 80\n", ""))

        said = checkout.devinit("start", code=None)

        assert "its image exposes the ports 80, 443" in said
        assert "container_port = 80" in said


class TestABuild:
    def test_is_made_once_and_again_when_a_file_of_it_has_changed(self, checkout: Checkout) -> None:
        (checkout.root / "Dockerfile").write_text(
            "FROM box:1 AS base\nARG GREETING\nCOPY www /www\nENV SAID=$GREETING\n"
            'FROM base AS dev\nEXPOSE 80\nCMD ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www"]\n'
            'FROM base\nCMD ["/bin/busybox", "false"]\n'
        )
        (checkout.root / ".dockerignore").write_text("*.secret\n**/*.log\n!www/kept.log\n")
        (checkout.root / "www" / "a.secret").write_text("x")
        (checkout.root / "b.secret").write_text("x")
        (checkout.root / "www" / "left.log").write_text("x")
        (checkout.root / "www" / "kept.log").write_text("x")
        checkout.configure(
            '[services.web]\nprovider = "docker"\nport = 22710\n'
            'build = { context = ".", target = "dev", args = { GREETING = "hi" } }\n'
        )

        said = checkout.devinit("start")

        assert "building image: Step 1/" in said
        (container,) = checkout.containers()
        assert "SAID=hi" in checkout.inspect(container)["Config"]["Env"]
        listed = checkout.engine.docker("exec", container, "/bin/busybox", "ls", "/www").split()
        assert listed == ["a.secret", "index.html", "kept.log"]
        assert "building" not in checkout.devinit("restart")
        (checkout.root / "www" / "index.html").write_text("another page\n")
        assert "building image" in checkout.devinit("restart")
        assert checkout.page(22710) == "another page"

    def test_that_fails_is_told_with_what_it_printed(self, checkout: Checkout) -> None:
        (checkout.root / "Dockerfile").write_text(
            'FROM box:1\nRUN ["/bin/busybox", "sh", "-c", "echo no such package; exit 3"]\n'
        )
        checkout.configure('[services.web]\nprovider = "docker"\nport = 22720\nbuild = "."\n')

        said = checkout.devinit("start", code=None)

        assert "returned a non-zero code: 3" in said
        assert "no such package" in said

    @pytest.mark.parametrize(
        ("build", "words"),
        [
            ('"../other"', "build.context leads out of the project"),
            ('{ context = ".", dockerfile = "/etc/passwd" }', "build.dockerfile leads out of the project"),
            ('"www"', "there is no Dockerfile in"),
            ('{ contxt = "." }', "these are: context, dockerfile, target, args"),
        ],
    )
    def test_is_refused_for_files_that_are_not_the_projects(
        self, checkout: Checkout, build: str, words: str
    ) -> None:
        checkout.configure(f'[services.web]\nprovider = "docker"\nport = 22730\nbuild = {build}\n')

        assert words in checkout.devinit("start", code=None)


class TestAnEngine:
    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("unix:///nonexistent/docker.sock", "no container engine runs here"),
            ("tcp://192.0.2.1:2375", "is on another machine"),
        ],
    )
    def test_that_is_not_there(self, checkout: Checkout, address: str, words: str) -> None:
        checkout.configure(WEB.format(port=22410))

        assert words in checkout.devinit("start", code=None, DOCKER_HOST=address)

    def test_that_this_user_may_not_ask(self, checkout: Checkout, engine: Engine) -> None:
        checkout.configure(WEB.format(port=22420))
        script = (
            "import os, sys\n"
            "from devinit.kinds.docker.engine import Engine, EngineAway\n"
            "from devinit.kinds.docker.finding import in_words\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "try: Engine(sys.argv[1]).ask('GET', '/version')\n"
            "except EngineAway as away: print(in_words(away).message)\n"
        )
        engine.folder.chmod(0o755)

        said = subprocess.run(
            [sys.executable, "-c", script, str(engine.socket)], capture_output=True, text=True, check=False
        )

        assert "this user may not ask the container engine" in said.stdout, said.stderr

    def test_that_goes_away_is_waited_for_and_its_container_is_taken_up_again(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        checkout.configure(WEB.format(port=22430))
        checkout.devinit("start")
        before = checkout.containers()

        engine.end(signal.SIGKILL)

        found = checkout.until("unhealthy")
        assert "its container engine does not answer" in found["reason"]
        engine.start("--live-restore")
        assert checkout.until("ready")["pid"] == found["pid"]
        assert checkout.containers() == before
        assert checkout.page(22430) == "hello from the container"
        assert checkout.devinit("logs", "web").count("response:200") == 1
        checkout.devinit("stop")
        assert checkout.containers() == []

    def test_that_is_restarted_with_all_that_it_runs_has_a_new_container_when_it_is_back(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        engine.end()
        engine.start()
        checkout.configure(WEB.format(port=22440))
        checkout.devinit("start")
        before = checkout.containers()

        engine.end()
        engine.start()

        after = checkout.until("ready")
        assert after["port"] == 22440
        assert len(checkout.containers()) == 1
        assert checkout.containers() != before
        assert checkout.page(22440) == "hello from the container"


class TestTwoCheckouts:
    def test_with_the_same_names_have_a_container_and_a_volume_each(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        other = Checkout(checkout.root.parent / "beside", engine)
        checkout.configure(WEB.format(port=22510))
        other.configure(WEB.format(port=22520))
        try:
            checkout.devinit("start")
            other.devinit("start")

            assert len(checkout.containers()) == len(other.containers()) == 1
            checkout.devinit("stop")
            assert other.page(22520) == "hello from the container"
        finally:
            other.devinit("stop", code=None)


class TestServicesBeside:
    """Services on 127.0.0.1 of this machine, which containers do not reach by themselves."""

    BESIDE = """
[services.api]
command = "{python} -m http.server ${{PORT}} --bind 127.0.0.1 --directory www"
port = {port}
[services.other]
provider = "docker"
image = "box:1"
command = "/bin/busybox httpd -f -p 80 -h /www"
port = {other}
container_port = 80
volumes = ["./www:/www:ro"]
[services.web.env]
API = "${{API_URL}}/index.html"
API_PARTS = "${{API_HOST}}:${{API_PORT}}"
OTHER = "${{OTHER_URL}}/index.html"
CORS_ORIGINS = "http://localhost:{port}"
"""

    def configure(self, checkout: Checkout, first: int) -> None:
        web = WEB.replace('env = {{ GREETING = "hello" }}\n', "").format(port=first)
        checkout.configure(web + self.BESIDE.format(python=sys.executable, port=first + 1, other=first + 2))

    def container(self, checkout: Checkout, name: str = "web") -> str:
        return checkout.engine.docker("ps", "-q", "--filter", f"label=dev.devinit.service={name}")

    def address(self, checkout: Checkout, name: str = "API") -> str:
        values = checkout.inspect(self.container(checkout))["Config"]["Env"]
        return str(dict(each.split("=", 1) for each in values)[name])

    def fetched(self, checkout: Checkout, address: str) -> str:
        busybox = ("/bin/busybox", "wget", "-qO-", address)
        return checkout.engine.docker("exec", self.container(checkout), *busybox)

    def test_are_reached_by_name_and_by_what_the_environment_says(self, checkout: Checkout) -> None:
        self.configure(checkout, 22530)

        checkout.devinit("start")

        values = checkout.inspect(self.container(checkout))["Config"]["Env"]
        inside = dict(each.split("=", 1) for each in values)
        assert inside["CORS_ORIGINS"] == "http://localhost:22531"
        for address in (
            inside["API"],
            inside["OTHER"],
            "http://other/index.html",
        ):
            assert self.fetched(checkout, address) == "hello from the container"

    def test_are_reached_by_containers_of_the_checkout_alone(self, checkout: Checkout) -> None:
        self.configure(checkout, 22540)
        checkout.devinit("start")
        engine = checkout.engine
        (network,) = checkout.inspect(self.container(checkout))["NetworkSettings"]["Networks"].values()
        address = self.address(checkout).replace("host.docker.internal", network["Gateway"])

        script = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read())"
        ours = subprocess.run(
            [*engine.inside, sys.executable, "-c", script, address], capture_output=True, check=False
        )
        another = subprocess.run(
            ["docker", "run", "--rm", "box:1", "/bin/busybox", "wget", "-qO-", "-T", "5", address],
            env=engine.environment,
            capture_output=True,
            check=False,
        )

        assert (ours.returncode, ours.stdout) == (1, b"")
        assert another.returncode
        assert not another.stdout
        assert self.fetched(checkout, address) == "hello from the container"

    def test_are_reached_by_a_container_that_is_taken_over(self, checkout: Checkout) -> None:
        self.configure(checkout, 22550)
        checkout.devinit("start")
        before = self.container(checkout)
        kill(checkout.status()["supervisor"]["pid"])
        kill(checkout.status()["pid"])

        checkout.devinit("start")

        assert self.container(checkout) != before or checkout.status()["phase"] == "ready"
        assert self.fetched(checkout, self.address(checkout)) == "hello from the container"

    def test_have_no_network_any_more_after_a_stop(self, checkout: Checkout) -> None:
        self.configure(checkout, 22560)
        checkout.devinit("start")
        networks = ("network", "ls", "-q", "--filter", f"label=dev.devinit.root={checkout.root}")
        assert checkout.engine.docker(*networks)
        checkout.devinit("stop", "web", "other")

        assert not checkout.engine.docker(*networks)
        checkout.devinit("start")
        assert self.fetched(checkout, self.address(checkout)) == "hello from the container"

    def test_may_restart_and_move(self, checkout: Checkout) -> None:
        self.configure(checkout, 22570)
        checkout.devinit("start")
        before = self.address(checkout)

        checkout.devinit("restart", "api")

        assert self.address(checkout) == before
        assert self.fetched(checkout, before) == "hello from the container"
        checkout.devinit("ports", "set", "api", "22579")
        checkout.devinit("restart", "api")
        assert self.address(checkout) != before
        assert self.fetched(checkout, self.address(checkout)) == "hello from the container"


class TestAServerThatIsKnown:
    def test_runs_from_its_image_with_a_password_and_the_names_that_applications_look_for(
        self, checkout: Checkout, engine: Engine
    ) -> None:
        answers = '["/bin/busybox", "nc", "-ll", "-p", "27017", "-e", "/bin/busybox", "cat"]'
        engine.docker("import", "-c", f"CMD {answers}", str(engine.folder / "image.tar"), "mongo:8")
        checkout.configure('[services.mongodb]\nprovider = "docker"\nserver = "mongodb"\nport = 27017\n')

        checkout.devinit("start")

        (container,) = checkout.containers()
        found = checkout.inspect(container)
        inside = dict(each.split("=", 1) for each in found["Config"]["Env"])
        environment = dict(
            line.split("=", 1)
            for line in (checkout.root / ".env.runtime").read_text().splitlines()
            if "=" in line
        )
        password = inside["MONGO_INITDB_ROOT_PASSWORD"]
        assert len(password) > 20
        url = f"mongodb://app:{password}@127.0.0.1:27017/shop?authSource=admin"
        assert environment["MONGODB_URI"].strip("'\"") == url
        assert environment["MONGODB_URL"].strip("'\"") == url
        assert [each["Destination"] for each in found["Mounts"]] == ["/data/db"]
        assert password not in checkout.devinit("status", "--json")
        checkout.devinit("restart")
        (container,) = checkout.containers()
        assert f"MONGO_INITDB_ROOT_PASSWORD={password}" in checkout.inspect(container)["Config"]["Env"]
