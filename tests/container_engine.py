"""A real Docker engine in a network namespace of its own, so that nothing of it stays on the machine."""

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

ENGINE = """
set -e
ip link set lo up
exec dockerd --host unix://$1/docker.sock --data-root $1/data --exec-root $1/exec --pidfile $1/dockerd.pid \
  --storage-driver vfs
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

    @property
    def inside(self) -> tuple[str, ...]:
        """The words that run a command in its network."""
        return ("nsenter", f"--net=/proc/{self.process.pid}/ns/net")

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"


@contextmanager
def running_engine() -> Iterator[Engine]:
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


def _wait_until_it_answers(engine: Engine) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while subprocess.run(
        ["docker", "info"], env=engine.environment, capture_output=True, check=False
    ).returncode:
        if engine.process.poll() is not None or time.monotonic() > deadline:
            log = (engine.folder / "log").read_text(errors="replace")
            pytest.skip(f"a Docker engine cannot run here: {log[-300:]}")
        time.sleep(0.05)  # an engine that starts tells nobody when it listens
