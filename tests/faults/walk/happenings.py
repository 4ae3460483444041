"""The possible happenings in a project's life: actions of its developer, and faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from tests.faults.walk.world import World

Happening = Callable[["World"], str]
"""Causes a happening; returns its description."""

LONGEST_PAUSE_SECONDS = 0.4
DOWN = ("stopped", "stopping", "waiting")
RESTART_SECONDS = 60
"""The time limit for a restart to bring everything up again on a busy machine."""
ANSWER_SECONDS = 20


def start_all(world: World) -> str:
    return f"start all: {world.devinit('start', 'all', '--detach').code}"


def start_by_force(world: World) -> str:
    return f"start --force: {world.devinit('start', 'all', '--detach', '--force').code}"


def start_one(world: World) -> str:
    name = world.chance.choice(world.services)
    return f"start {name}: {world.devinit('start', name, '--detach').code}"


def stop_all(world: World) -> str:
    return f"stop: {world.devinit('stop').code}"


def stop_one(world: World) -> str:
    name = world.chance.choice(world.services)
    return f"stop {name}: {world.devinit('stop', name).code}"


def restart_one(world: World) -> str:
    name = world.chance.choice(world.services)
    return f"restart {name}: {world.devinit('restart', name).code}"


def restart_all(world: World) -> str:
    return f"restart: {world.devinit('restart').code}"


def look(world: World) -> str:
    for words in (
        ("logs", "-n", "5"),
        ("env",),
        ("ports", "--json"),
        ("why", world.chance.choice(world.services)),
    ):
        world.devinit(*words)
    return "logs, env, ports, why"


def kill_supervisor(world: World) -> str:
    """Send SIGKILL at any moment, even while a command waits for the supervisor."""
    client = world.begin(
        *world.chance.choice((("start", "-d"), ("restart", "api"), ("stop", "worker"), ("status",)))
    )
    with client:
        time.sleep(world.chance.uniform(0, LONGEST_PAUSE_SECONDS))
        for process in world.supervisors():
            os.kill(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            client.communicate(timeout=60)
        if client.poll() is None:
            client.kill()
            return "kill -9 of the supervisor: a client hung for 60 s"
    return "kill -9 of the supervisor during a command"


def kill_idle_supervisor(world: World) -> str:
    for process in world.supervisors():
        os.kill(process.pid, signal.SIGKILL)
    return "kill -9 of the supervisor"


def kill_any_process(world: World) -> str:
    found = [process for each in world.members().values() for process in each]
    if not found:
        return "nobody to kill"
    victim = world.chance.choice(found)
    with suppress(psutil.Error):
        name = victim.name()
        os.kill(victim.pid, signal.SIGKILL)
        return f"kill -9 of {name} ({victim.pid})"
    return "it was gone"


def kill_everything(world: World) -> str:
    """Kill supervisor and services at once, as if memory had run out."""
    victims = [process for each in world.members().values() for process in each] + world.supervisors()
    for victim in victims:
        with suppress(psutil.Error, ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
    return f"kill -9 of all {len(victims)} processes"


def kill_client(world: World) -> str:
    words = world.chance.choice(
        (("start", "-d"), ("restart",), ("stop",), ("logs", "-f"), ("status", "--json"))
    )
    with world.begin(*words) as client:
        time.sleep(world.chance.uniform(0, LONGEST_PAUSE_SECONDS))
        client.kill()
    return f"kill -9 of `devinit {' '.join(words)}`"


def interrupt_client(world: World) -> str:
    with world.begin("start", "-d") as client:
        time.sleep(world.chance.uniform(0.05, LONGEST_PAUSE_SECONDS))
        client.send_signal(signal.SIGINT)
        client.communicate(timeout=60)
    return "Ctrl-C during a start"


def leave_restart(world: World) -> str:
    """Let the client of a restart disappear: its terminal closes, or it disconnects right after the order."""
    ran = world.in_phase("ready")
    path = world.address()
    if not ran or path is None:
        return "nothing to restart"
    names = world.chance.choice(([], [world.chance.choice(ran)]))
    if world.chance.random() < 0.5:
        with world.begin("restart", *names) as client:
            time.sleep(world.chance.uniform(0.05, LONGEST_PAUSE_SECONDS))
            client.send_signal(world.chance.choice((signal.SIGHUP, signal.SIGKILL)))
        what = f"the terminal of `restart {' '.join(names)}` was closed"
    else:
        with suppress(OSError), world.connected(path) as connection:
            connection.sendall(request("restart", services=names, environ=world.environment))
        what = f"a client ordered a restart of {names or 'everything'} and hung up"
    deadline = time.monotonic() + RESTART_SECONDS
    while (down := set(ran) & set(world.in_phase(*DOWN))) and time.monotonic() < deadline:
        time.sleep(0.1)
    if down:
        world.blamed.append(f"{what}, and {sorted(down)} stayed down")
    return what


def ask_much_and_hang_up(world: World) -> str:
    """Send 145 kB of requests at once, and read no answer."""
    path = world.address()
    if path is None:
        return "nobody to ask"
    question = request(world.chance.choice(("status", "subscribe", "ports", "environment")))
    with suppress(OSError), world.connected(path) as connection:
        connection.sendall(question * (145_000 // len(question)))
    began = time.monotonic()
    code = world.devinit("status").code
    took = time.monotonic() - began
    if took > ANSWER_SECONDS:
        world.blamed.append(f"`status` took {took:.0f} s after a client had asked much and hung up")
    return f"145 kB of questions, then status: {code}"


def request(method: str, **params: object) -> bytes:
    """Return a request as a line of the wire."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n"


def two_clients(world: World) -> str:
    """Run two contradictory commands."""
    words = [
        world.chance.choice((("start", "-d"), ("stop",), ("restart",), ("start", "api", "-d")))
        for _ in range(2)
    ]
    clients = [world.begin(*each) for each in words]
    for client in clients:
        with client:
            client.communicate(timeout=90)
    return " and ".join(" ".join(each) for each in words) + " at once"


def pause_supervisor(world: World) -> str:
    for process in world.supervisors():
        with suppress(psutil.Error):
            process.suspend()
            time.sleep(world.chance.uniform(0, LONGEST_PAUSE_SECONDS))
            process.resume()
    return "the supervisor was stopped for a moment"


def pause_service(world: World) -> str:
    found = [process for each in world.members().values() for process in each]
    if found:
        with suppress(psutil.Error):
            victim = world.chance.choice(found)
            victim.suspend()
            time.sleep(world.chance.uniform(0, LONGEST_PAUSE_SECONDS))
            victim.resume()
    return "a service was stopped for a moment"


def edit_configuration(world: World) -> str:
    world.greeting = f"hello {world.chance.randrange(1000)}"
    world.has_extra = world.chance.random() < 0.5
    if world.chance.random() < 0.3:
        world.ports["api"] += world.chance.choice((-1, 1))
    world.configure()
    return "an edit of devinit.toml"


def break_configuration(world: World) -> str:
    path = world.root / "devinit.toml"
    path.write_text(
        world.chance.choice(
            ('[services.api\nport = "', "nonsense = 1\n", "\0\0\0", '[services.api]\nport = "x"\n')
        )
    )
    codes = [world.devinit(*words).code for words in (("start", "-d"), ("status",), ("restart", "api"))]
    world.configure()
    return f"a broken devinit.toml: {codes}"


def break_state(world: World) -> str:
    """Write nonsense into one of devinit's files, as an editor, a disk or a merge conflict would."""
    name = world.chance.choice(
        (
            ".ports.json",
            "state.json",
            ".env.runtime",
            "socket",
            "supervisor.lock",
            "pids/api.pid",
        )
    )
    path = (world.root if name.startswith(".") else world.state) / name
    if not path.parent.is_dir():
        return "nothing to break yet"
    content = world.chance.choice(
        (b"", b"{", b"<<<<<<< HEAD\n", b"\xff\xfe\0", b"[1, 2]\n", b'{"api": "x"}\n')
    )
    path.write_bytes(content)
    codes = [world.devinit("status").code, world.devinit("start", "-d").code]
    if name in (".ports.json", "state.json") and path.exists() and path.read_bytes() == content:
        path.unlink()  # the error names it, and it is never replaced silently: the user acts
    return f"{content!r} in {name}: {codes}"


def remove_file(world: World) -> str:
    name = world.chance.choice(
        (
            ".ports.json",
            ".env.runtime",
            "socket",
            "pids",
            "logs/api.log",
            "state.json",
        )
    )
    path = (world.root if name.startswith(".") else world.state) / name
    if path.is_dir():
        for each in path.iterdir():
            each.unlink()
    else:
        path.unlink(missing_ok=True)
    return f"{name} removed"


def remove_socket(world: World) -> str:
    """Remove the sockets, as a logout or a cleaner of /tmp does."""
    for path in (world.machine / "run").rglob("*.sock"):
        path.unlink()
    return "the socket removed"


def block_the_log(world: World) -> str:
    """Put another file in place of the supervisor's log while a supervisor is to be started."""
    kill_idle_supervisor(world)
    log = world.state / "supervisor.log"
    if not log.parent.is_dir():
        return "nothing to block yet"
    kept = log.with_name("supervisor.log.kept")
    if log.exists():
        log.rename(kept)
    kind = world.chance.choice(("a folder", "a named pipe", "a link"))
    if kind == "a folder":
        log.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(kept)
    codes = [world.devinit(*words).code for words in (("start", "-d"), ("env",), ("restart", "api"))]
    if kind == "a folder":
        log.rmdir()
    else:
        log.unlink()
    if kept.exists():
        kept.rename(log)
    return f"{kind} in place of the supervisor's log: {codes}"


def fill_the_disk(world: World) -> str:
    if not world.is_small_disk:
        return "no small disk here"
    world.fill_disk()
    words = world.chance.choice((("start", "-d"), ("restart", "api"), ("stop", "api"), ("restart", "redis")))
    code = world.devinit(*words).code
    world.free_disk()
    return f"a full disk during {' '.join(words)}: {code}"


def steal_port(world: World) -> str:
    address = world.chance.choice(("127.0.0.1", "0.0.0.0", "::1"))
    port = world.chance.choice(list(world.ports.values())) + world.chance.choice((0, 0, 1))
    world.stranger(address, port)
    return f"a stranger on {address} port {port}"


def strangers_leave(world: World) -> str:
    world.dismiss_strangers()
    return "the strangers left"


DAILY: dict[Happening, int] = {
    start_all: 6, start_by_force: 1, start_one: 3, stop_all: 2, stop_one: 2, restart_one: 3, restart_all: 1,
    look: 1, strangers_leave: 2,
}  # fmt: skip
FAULTS: dict[Happening, int] = {
    kill_supervisor: 4, kill_idle_supervisor: 3, kill_any_process: 8, kill_everything: 1, kill_client: 4,
    interrupt_client: 2, leave_restart: 4, ask_much_and_hang_up: 2, two_clients: 3, pause_supervisor: 2, pause_service: 2, edit_configuration: 3,
    break_configuration: 2, break_state: 4, remove_file: 3, remove_socket: 2, fill_the_disk: 2, steal_port: 4,
    block_the_log: 2,
}  # fmt: skip
"""The relative frequency of each."""
