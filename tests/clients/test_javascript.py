"""Specifies the client for JavaScript in Node: by itself, and on a real project whose backend moves."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devinit.clients.files import PACKAGE
from tests.cli.conftest import Shop
from tests.clients.conftest import ROOT
from tests.clients.project import PATIENCE, Program, move, with_api
from tests.network import on_the_network

pytestmark = pytest.mark.timeout(180)
Run = Callable[..., Program]
Ask = Callable[..., http.client.HTTPResponse]

FOLLOW = """
const shop = node.createDevinit();
shop.subscribe(({ status, services: { backend } }) => say({ status, port: backend?.port ?? null,
    phase: backend?.phase ?? null, source: backend?.source ?? null, url: backend?.url ?? null }));
"""
POLL = """
const shop = node.createDevinit();
shop.subscribe(() => {});
for (;;) {
    try {
        say(await (await shop.fetch("backend", "/items")).json());
    } catch (error) {
        say({ failed: String(error), cause: String(error.cause) });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
}
"""
SERVE = """
import { createServer } from "node:http";
const server = createServer(node.createHandler());
server.listen(Number(process.env.AT), "127.0.0.1", () => say("listens"));
"""


@pytest.fixture
def run(node: str, shop: Shop) -> Iterator[Run]:
    """Run programs of Node in the project."""
    started: list[Program] = []

    def begin(script: str, **environment: str) -> Program:
        started.append(Program(node, shop.root, script, **environment))
        return started[-1]

    yield begin
    for each in started:
        each.end()


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A project whose backend is ready."""
    with_api(shop, port)
    done = shop("start", "backend")
    assert done.returncode == 0, done.stderr
    return shop


def supervisor_of(shop: Shop) -> int:
    pid = json.loads(shop("status", "--json").stdout)["supervisor"]["pid"]
    assert isinstance(pid, int)
    return pid


def node_tests(program: str) -> str:
    """Run the tests that need no project, and return what they came to."""
    done = subprocess.run(
        [program, "--test", str(ROOT / "tests" / "clients" / "core.test.mjs")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


class TestTheClientAlone:
    def test_keeps_its_promises(self, node: str) -> None:
        assert re.search(r"^\S+ pass 23$", node_tests(node), re.MULTILINE)

    @pytest.mark.slow
    @pytest.mark.parametrize("version", ["18", "22", "24"])
    def test_keeps_them_with_other_versions_of_node(self, node: str, version: str) -> None:
        folder = ROOT / ".venv" / f"node-{version}"
        program = folder / "node_modules" / f"node-linux-{_machine()}" / "bin" / "node"
        if not program.exists():
            folder.mkdir(exist_ok=True)
            words = [
                "npm",
                "install",
                "--prefix",
                str(folder),
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--fetch-retries=0",
            ]
            package = f"node-linux-{_machine()}@{version}"
            done = subprocess.run(
                on_the_network(*words, package), capture_output=True, text=True, timeout=120, check=False
            )
            if done.returncode != 0 or not program.exists():
                pytest.skip(f"Node {version} cannot be installed here: {done.stderr[-200:]}")

        assert " fail 0\n" in node_tests(str(program))


def _machine() -> str:
    return {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, "unknown")


class TestAProgramInTheProject:
    def test_is_told_by_the_supervisor_when_the_backend_moves(
        self, run: Run, running: Shop, port: int
    ) -> None:
        program = run(FOLLOW)
        first = program.until(lambda said: said["port"] == port)
        move(running, port + 5)
        program.until(lambda said: said["port"] == port + 5 and said["phase"] == "ready")

        assert (first["source"], first["url"]) == ("live", f"http://localhost:{port}")
        assert program.seen[0]["status"] == "connecting"
        assert {said["status"] for said in program.seen[1:]} <= {"connecting", "live"}
        assert any(said["phase"] != "ready" for said in program.seen[2:])

    def test_is_told_of_a_stop_and_of_the_next_start(self, run: Run, running: Shop, port: int) -> None:
        program = run(FOLLOW)
        program.until(lambda said: said["port"] == port)
        running("stop")
        program.until(lambda said: said["phase"] == "stopped")
        running("start", "backend")

        assert program.until(lambda said: said["phase"] == "ready")["port"] == port

    def test_believes_the_discovery_file_where_the_supervisor_was_killed(
        self, run: Run, running: Shop, port: int
    ) -> None:
        os.kill(supervisor_of(running), signal.SIGKILL)
        said = run("say(await node.createDevinit().discover('backend')); process.exit()").until(bool)

        assert (said["source"], said["port"]) == ("file", port)

    @pytest.mark.parametrize(
        "wrong", [{"timestamp": time.time() - 31}, {"process_id": 2**22 + 1}, {"url": 7}]
    )
    def test_believes_no_discovery_file_that_is_old_or_whose_process_has_ended(
        self, run: Run, shop: Shop, wrong: dict[str, Any]
    ) -> None:
        said = {
            "port": 8000,
            "url": "http://localhost:8000",
            "timestamp": time.time(),
            "process_id": os.getpid(),
        }
        (shop.root / ".backend-port.json").write_text(json.dumps(said))
        script = "say([await node.createDevinit().discover('backend')]); process.exit()"
        [right] = run(script).until(bool)
        (shop.root / ".backend-port.json").write_text(json.dumps(said | wrong))

        assert right["port"] == 8000
        assert run(script).until(bool) == [None]

    def test_finds_a_program_that_has_leased_its_port(self, run: Run, shop: Shop, port: int) -> None:
        ask = f"import devinit, time\ndevinit.port('backend', {port})\ntime.sleep({PATIENCE})"
        leased = subprocess.Popen([sys.executable, "-c", ask], cwd=shop.root, stdout=subprocess.PIPE)
        assert leased.stdout is not None
        leased.stdout.readline()
        try:
            said = run("say(await node.createDevinit().wait('backend')); process.exit()").until(bool)
        finally:
            leased.kill()
            leased.communicate()

        assert (said["source"], said["port"]) == ("file", port)

    def test_has_what_its_environment_says_where_nothing_else_does(self, run: Run, shop: Shop) -> None:
        script = "say(await node.createDevinit().discover('my-api')); process.exit()"

        said = run(script, MY_API_URL="http://localhost:8123").until(bool)

        assert (said["source"], said["port"]) == ("injected", 8123)

    def test_loses_no_request_while_the_backend_moves(self, run: Run, running: Shop, port: int) -> None:
        program = run(POLL)
        program.until(lambda said: said.get("port") == port)
        move(running, port + 5)
        program.until(lambda said: said.get("port") == port + 5)

        assert [said for said in program.seen if "failed" in said] == []


class TestTheEndpointOfAServer:
    @pytest.fixture
    def at(self, run: Run, running: Shop, port: int) -> int:
        run(SERVE, AT=str(port + 3)).until(bool)
        return port + 3

    @pytest.fixture
    def connections(self) -> Iterator[ExitStack]:
        with ExitStack() as stack:
            yield stack

    @pytest.fixture
    def ask(self, at: int, connections: ExitStack) -> Ask:
        return partial(self.answer_of, connections, at)

    def answer_of(
        self, connections: ExitStack, at: int, path: str = "", method: str = "GET", **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", at, timeout=PATIENCE)
        connections.callback(connection.close)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(
            method, f"/.well-known/devinit/{path}", headers={"Host": f"localhost:{at}"} | named
        )
        return connections.enter_context(connection.getresponse())

    def test_says_where_each_service_answers(self, ask: Ask, port: int) -> None:
        answer = ask()

        said = json.loads(answer.read())

        assert answer.headers["Content-Type"] == "application/json"
        assert said["project"] == "shop"
        backend = said["services"]["backend"]
        assert 0 <= time.time() - backend.pop("at") < PATIENCE
        assert backend == {
            "name": "backend",
            "url": f"http://localhost:{port}",
            "urls": [f"http://localhost:{port}"],
            "port": port,
            "phase": "ready",
            "ready": True,
        }

    @pytest.mark.parametrize(
        ("status", "headers"),
        [
            (403, {"Host": "shop.example:5173"}),
            (403, {"Host": "192.168.0.7:5173"}),
            (403, {"Sec_Fetch_Site": "cross-site"}),
            (403, {"Sec_Fetch_Site": "same-site"}),
            (200, {"Host": "frontend.shop.localhost:7080", "Sec_Fetch_Site": "same-origin"}),
            (200, {"Host": "[::1]:5173"}),
        ],
    )
    def test_answers_its_own_pages_alone(self, ask: Ask, status: int, headers: dict[str, str]) -> None:
        assert ask(**headers).status == status

    def test_gives_no_orders(self, ask: Ask) -> None:
        assert ask(method="POST").status == 405
        assert ask("services").status == 404

    def test_tells_of_changes_and_what_was_missed(self, ask: Ask, running: Shop) -> None:
        stream = ask("events")
        first = read_event(stream)
        running("stop", "backend")
        last = first
        while json.loads(last["data"]).get("phase") != "stopped":
            last = read_event(stream)

        assert (stream.headers["Content-Type"], first["event"], last["event"]) == (
            "text/event-stream",
            "snapshot",
            "service",
        )
        again = ask("events", Last_Event_ID=first["id"])
        assert read_event(again)["event"] == "service"
        unknown = ask("events", Last_Event_ID="beef-7")
        assert read_event(unknown)["event"] == "snapshot"


def read_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    """Read the next event; the line that says when to come back is none."""
    fields: dict[str, str] = {}
    while True:
        line = stream.readline().decode().rstrip("\n")
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        fields[name] = value


class TestTheTypes:
    PROGRAM = """
import { createDevinit, type State } from "@devinit/client";
import { createHandler } from "@devinit/client/node";
import { useService } from "@devinit/client/react";
import { serviceStore } from "@devinit/client/svelte";
import { useService as useRef } from "@devinit/client/vue";
import plugin from "@devinit/client/vite";
import { createServer } from "node:http";
import { defineConfig } from "vite";

const devinit = createDevinit({ fallback: { backend: "http://localhost:8000" }, injected: { web: undefined } });
const stop: () => void = devinit.subscribe((state: State) => console.log(state.services["backend"]?.url));
const found = await devinit.discover("backend");
if (found) new URL(found.url);
const answer: Response = await devinit.fetch("backend", "/items", { method: "HEAD" });
createServer(createHandler());
defineConfig({ plugins: [plugin({ start: ".." })] });
const port: number | null | undefined = useService(devinit, "backend")?.port ?? useRef(devinit, "backend").value?.port;
serviceStore(devinit, "backend").subscribe((service) => service?.ready);
// @ts-expect-error an address is a text
devinit.update("backend", 8000);
// @ts-expect-error the state is replaced, and never changed
devinit.state.status = "live";
export { answer, port, stop };
"""

    @pytest.mark.slow
    def test_are_what_a_program_in_typescript_sees(self, node: str, modules: Path, tmp_path: Path) -> None:
        (tmp_path / "node_modules").mkdir()
        for each in modules.iterdir():
            (tmp_path / "node_modules" / each.name).symlink_to(each)
        (tmp_path / "node_modules" / "@devinit").mkdir()
        # A copy: modules are looked for around the place to which a link leads.
        subprocess.run(
            ["cp", "-r", str(PACKAGE), str(tmp_path / "node_modules" / "@devinit" / "client")], check=True
        )
        (tmp_path / "program.ts").write_text(self.PROGRAM)
        (tmp_path / "package.json").write_text('{"type": "module"}')

        done = subprocess.run(
            [
                *(node, str(modules / "typescript" / "bin" / "tsc"), "--noEmit", "--strict", "program.ts"),
                *("--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--types", "node"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, done.stdout
