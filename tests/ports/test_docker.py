"""A real Docker engine in a network namespace of its own, so that nothing of it stays on the machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

ENGINE = """
set -e
ip link set lo up
exec dockerd --host unix://$1/docker.sock --data-root $1/data --exec-root $1/exec --pidfile $1/dockerd.pid \
  --storage-driver vfs
"""
LOOK = """
import json, sys
from devinit.errors import PortConflict
from devinit.ports.ending.freeing import free
from devinit.ports.holder.lookup import holding
from devinit.ports.leases import LeaseStore
from pathlib import Path
port = int(sys.argv[1])
found = holding(port)
hint = ""
try:
    free(port, root="", store=LeaseStore(Path(sys.argv[2])), looked_after=False)
except PortConflict as refused:
    hint = refused.hint
container = found.container
print(json.dumps({
    "hint": hint,
    "holders": [each.name for each in found.holders],
    "container": {name: getattr(container, name) for name in container.__struct_fields__} if container else None,
    "managers": [each.manager.stop_command for each in found.holders if each.manager],
}))
"""
STARTS_WITHIN = 30.0


class Engine:
    """An engine that is asked on its own socket, and looked at from inside its network."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}

    def docker(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def look(self, port: int, leases: Path) -> dict[str, Any]:
        """Return what devinit says about a port, and how it refuses to end its holder."""
        done = subprocess.run(
            [
                *("nsenter", f"--net=/proc/{self.process.pid}/ns/net"),
                *(sys.executable, "-c", LOOK, str(port), str(leases)),
            ],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        result: dict[str, Any] = json.loads(done.stdout)
        return result


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Start an engine with an image that holds nothing but busybox."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a Docker engine in a namespace of its own")
    for program in ("dockerd", "docker", "busybox", "ip", "unshare", "nsenter"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (docker.io, busybox-static, iproute2, util-linux)")
    folder = Path(tempfile.mkdtemp(prefix="dv-docker-", dir="/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        log = stack.enter_context((folder / "log").open("wb"))
        # Its mounts, too, end with their namespace.
        process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", ENGINE, "sh", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGTERM)
        found = Engine(folder, process)
        _wait_until_it_answers(found)
        (folder / "image" / "bin").mkdir(parents=True)
        shutil.copy(shutil.which("busybox") or "", folder / "image" / "bin" / "busybox")
        subprocess.run(["tar", "-C", folder / "image", "-cf", folder / "image.tar", "."], check=True)
        found.docker("import", str(folder / "image.tar"), "box:1")
        yield found
        for container in found.docker("ps", "-q").split():
            found.docker("kill", container)


@pytest.fixture(scope="module")
def web(engine: Engine) -> str:
    """Start a container as Compose does, with a port, a range of ports and a port of another protocol."""
    labels = ("com.docker.compose.project=shop", "com.docker.compose.service=web")
    return engine.docker(
        *(
            "run",
            "--detach",
            "--name",
            "shop-web-1",
            *(word for label in labels for word in ("--label", label)),
        ),
        *("-p", "127.0.0.1:21310:80", "-p", "21320-21322:80-82", "-p", "21330:80/udp"),
        *("box:1", "/bin/busybox", "httpd", "-f", "-p", "80"),
    )


def _wait_until_it_answers(engine: Engine) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while subprocess.run(
        ["docker", "info"], env=engine.environment, capture_output=True, check=False
    ).returncode:
        if engine.process.poll() is not None or time.monotonic() > deadline:
            log = (engine.folder / "log").read_text(errors="replace")
            pytest.skip(f"a Docker engine cannot run here: {log[-300:]}")
        time.sleep(0.05)  # an engine that starts tells nobody when it listens


class TestAPortThatAContainerPublishes:
    @pytest.mark.parametrize("port", [21310, 21320, 21322])
    def test_is_said_to_be_the_containers(self, engine: Engine, web: str, port: int, tmp_path: Path) -> None:
        found = engine.look(port, tmp_path)

        assert set(found["holders"]) == {"docker-proxy"}
        assert found["container"] == {
            "engine": "docker",
            "id": web,
            "name": "shop-web-1",
            "image": "box:1",
            "compose_project": "shop",
            "compose_service": "web",
        }

    def test_is_never_freed_by_ending_the_proxy(self, engine: Engine, web: str, tmp_path: Path) -> None:
        found = engine.look(21310, tmp_path)

        assert "`docker stop shop-web-1`" in found["hint"]
        assert engine.docker("inspect", "--format", "{{.State.Running}}", web) == "true"
        assert engine.look(21310, tmp_path)["holders"] == ["docker-proxy"]


class TestAServerInAContainerOnTheHostsNetwork:
    def test_is_stopped_with_its_container(self, engine: Engine, tmp_path: Path) -> None:
        container = engine.docker(
            *("run", "--detach", "--network", "host", "box:1", "/bin/busybox", "httpd", "-f", "-p", "21340")
        )
        while not (found := engine.look(21340, tmp_path))["holders"]:
            pass

        assert found["managers"] == [f"docker stop {container[:12]}"]
        assert f"`docker stop {container[:12]}`" in found["hint"]
