"""Specifies what devinit says of ports that containers have, with a real engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.container_engine import Engine, running_engine

LOOK = """
import json, sys
from devinit.errors import PortConflict
from devinit.ports.ending.freeing import free
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.leases import LeaseStore
from pathlib import Path
port = int(sys.argv[1])
found = holders_of_port(port)
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


def look(engine: Engine, port: int, leases: Path) -> dict[str, Any]:
    """Return what devinit says about a port, and how it refuses to end its holder."""
    done = subprocess.run(
        [*engine.inside, sys.executable, "-c", LOOK, str(port), str(leases)],
        env=engine.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as found:
        yield found


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


class TestAPortThatAContainerPublishes:
    @pytest.mark.parametrize("port", [21310, 21320, 21322])
    def test_is_said_to_be_the_containers(self, engine: Engine, web: str, port: int, tmp_path: Path) -> None:
        found = look(engine, port, tmp_path)

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
        found = look(engine, 21310, tmp_path)

        assert "`docker stop shop-web-1`" in found["hint"]
        assert engine.docker("inspect", "--format", "{{.State.Running}}", web) == "true"
        assert look(engine, 21310, tmp_path)["holders"] == ["docker-proxy"]


class TestAServerInAContainerOnTheHostsNetwork:
    def test_is_stopped_with_its_container(self, engine: Engine, tmp_path: Path) -> None:
        container = engine.docker(
            *("run", "--detach", "--network", "host", "box:1", "/bin/busybox", "httpd", "-f", "-p", "21340")
        )
        while not (found := look(engine, 21340, tmp_path))["holders"]:
            pass

        assert found["managers"] == [f"docker stop {container[:12]}"]
        assert f"`docker stop {container[:12]}`" in found["hint"]
