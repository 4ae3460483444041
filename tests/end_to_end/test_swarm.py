"""Specifies that the export for Swarm runs on one: two engines, joined by a cable, of which one is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.container_engine import Engine, running_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Each answers with what the next one says; raw, so that busybox alone can do it.
PROJECT = """
[project]
name = "shop"

[services.store]
provider = "docker"
image = "box:1"
command = "/bin/busybox nc -ll -p 6000 -e /bin/busybox echo kept-in-the-store"
port = 6000
container_port = 6000

[services.backend]
command = "/bin/busybox nc -ll -p ${PORT} -e /bin/busybox nc store 6000"
port = 8000
depends_on = ["store"]

[services.page]
command = "/bin/busybox nc -ll -p ${PORT} -e /bin/busybox nc backend 8000"
port = 3000
depends_on = ["backend"]
"""
# This kernel may have no IPVS: then no virtual address answers, and no port is published on every node.
WITHOUT_IPVS = """
version: "3.8"
services:
  store: {deploy: {endpoint_mode: dnsrr, restart_policy: {delay: 500ms}}}
  backend:
    ports: [{mode: host, target: 8000, published: 8000}]
    deploy: {endpoint_mode: dnsrr, restart_policy: {delay: 500ms}}
  page:
    ports: [{mode: host, target: 3000, published: 3000}]
    deploy: {endpoint_mode: dnsrr, restart_policy: {delay: 500ms}}
"""
SECONDS = 120


@pytest.fixture
def engines() -> Iterator[tuple[Engine, Engine]]:
    with ExitStack() as stack:
        one, two = (stack.enter_context(running_engine()) for _ in range(2))
        first, second = (int(each.inside[-1].split("/")[2]) for each in (one, two))
        words = f"ip link add wire netns {first} type veth peer name wire netns {second}"
        if subprocess.run(words.split(), capture_output=True, check=False).returncode:
            pytest.skip("no cable between two network namespaces can be made here")
        for number, each in enumerate((one, two), start=1):
            for line in (f"ip addr add 10.77.0.{number}/24 dev wire", "ip link set wire up"):
                subprocess.run([*each.inside, *line.split()], check=True)
        yield one, two


def until(found: str, one: Engine, node: int) -> str:
    """Return what the page says, once that is it."""
    deadline, said = time.monotonic() + SECONDS, ""
    while found not in said:
        assert time.monotonic() < deadline, (said, one.docker("service", "ps", "--no-trunc", "shop_page"))
        done = subprocess.run(
            [*one.inside, "busybox", "nc", "-w", "2", f"10.77.0.{node}", "3000"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout
        time.sleep(0.2)  # no event reports that a task of another node answers
    return said


def test_a_service_comes_back_on_another_node(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    one, two = engines
    (tmp_path / "devinit.toml").write_text(PROJECT)
    export = [sys.executable, "-P", "-m", "devinit", "-C", str(tmp_path), "export", "swarm"]
    text = subprocess.run(export, env=dict(os.environ), capture_output=True, text=True, check=True).stdout
    (tmp_path / "stack.yaml").write_text(text)
    (tmp_path / "here.yaml").write_text(WITHOUT_IPVS)
    one.docker("swarm", "init", "--advertise-addr", "10.77.0.1")
    token = one.docker("swarm", "join-token", "-q", "worker")
    two.docker("swarm", "join", "--advertise-addr", "10.77.0.2", "--token", token, "10.77.0.1:2377")
    worker = next(
        line.split()[0]
        for line in one.docker("node", "ls", "--format", "{{.ID}} {{.ManagerStatus}}").splitlines()
        if "Leader" not in line
    )
    for each in engines:
        for name in ("backend", "page"):
            each.docker("tag", "box:1", f"shop-{name}:latest")
    # Both machines have one name here: the node is chosen by its number.
    place = [f"node.id == {worker}"]
    files = ["-c", str(tmp_path / "stack.yaml"), "-c", str(tmp_path / "here.yaml")]

    one.docker("stack", "deploy", "--resolve-image", "never", *files, "shop")
    one.docker("service", "update", "-d", "--constraint-add", place[0], "shop_page")
    until("kept-in-the-store", one, 2)

    one.docker("service", "update", "-d", "--constraint-rm", place[0], "shop_page")
    subprocess.run([*two.inside, "ip", "link", "set", "wire", "down"], check=True)
    until("kept-in-the-store", one, 1)
