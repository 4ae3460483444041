"""A real Docker engine in its own network namespace, so that it leaves nothing on the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

NAMESPACES = "ip link set lo up && exec sleep infinity"
STARTS_WITHIN = 30.0


class Engine:
    """An engine with its own socket, whose network can be inspected from inside."""

    def __init__(self, folder: Path, namespaces: subprocess.Popen[bytes]) -> None:
        self.folder, self._namespaces = folder, namespaces
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start the engine, and return when it answers."""
        places = {
            "host": f"unix://{self.socket}",
            "data-root": self.folder / "data",
            "exec-root": self.folder / "exec",
            "pidfile": self.folder / "dockerd.pid",
            "storage-driver": "vfs",
        }
        (self.folder / "dockerd.pid").unlink(missing_ok=True)
        words = [word for name, value in places.items() for word in (f"--{name}", str(value))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.inside, f"--mount=/proc/{self._namespaces.pid}/ns/mnt", "dockerd", *words, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers(self.process)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the engine with a signal; its containers may keep running."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()

    def docker(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def inside(self) -> tuple[str, ...]:
        """The words that run a command in its network."""
        return ("nsenter", f"--net=/proc/{self._namespaces.pid}/ns/net")

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while subprocess.run(
            ["docker", "info"], env=self.environment, capture_output=True, check=False
        ).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text(errors="replace")
                pytest.skip(f"a Docker engine cannot run here: {log[-300:]}")
            time.sleep(0.05)  # a starting engine does not signal when it listens


@contextmanager
def running_engine() -> Iterator[Engine]:
    """Start an engine with an image that contains only busybox."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a Docker engine in a namespace of its own")
    for program in ("dockerd", "docker", "busybox", "ip", "unshare", "nsenter"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (docker.io, busybox-static, iproute2, util-linux)")
    folder = Path(tempfile.mkdtemp(prefix="dv-docker-", dir="/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # Its mounts also end with their namespace.
        namespaces = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", NAMESPACES])
        stack.callback(namespaces.wait)
        stack.callback(namespaces.kill)
        found = Engine(folder, namespaces)
        stack.callback(found.end)
        _wait_for_the_network(found)
        found.start()
        (folder / "image" / "bin").mkdir(parents=True)
        shutil.copy(shutil.which("busybox") or "", folder / "image" / "bin" / "busybox")
        subprocess.run(["tar", "-C", folder / "image", "-cf", folder / "image.tar", "."], check=True)
        found.docker("import", str(folder / "image.tar"), "box:1")
        yield found
        for container in found.docker("ps", "-q").split():
            found.docker("kill", container)


def _wait_for_the_network(engine: Engine) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while (
        b"UP"
        not in subprocess.run(
            [*engine.inside, "ip", "link", "show", "lo"], capture_output=True, check=False
        ).stdout.partition(b">")[0]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)  # a namespace does not signal when it is ready
