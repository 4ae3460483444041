"""The process that represents a container: a supervisor starts, adopts and ends it like any other program.

It creates the container, or takes over the one that its record proves to be ours. It copies the container's output
to its own, asks the engine to stop the container when it is itself asked to end, and ends with its exit code. When
the engine goes away, it waits and finds the same container again. It runs without devinit and its packages
(`engine` says why).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import time
from contextlib import suppress

if __package__:  # for the tests and the type checker
    from devinit.kinds.docker.copying import Output, Vouched, say
    from devinit.kinds.docker.engine import Engine, EngineAway, Refused, Response, decode, quoted
    from devinit.kinds.docker.relay import Relay
else:  # as `PROGRAM` runs it
    from copying import Output, Vouched, say  # type: ignore[import-not-found,no-redef]
    from engine import (  # type: ignore[import-not-found,no-redef]
        Engine,
        EngineAway,
        Refused,
        Response,
        decode,
        quoted,
    )
    from relay import Relay  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Json = dict[str, Any]  # the engine's own form, of which little is read

PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); import shim; del sys.path[0]; sys.exit(shim.main())"
"""For `python -I -S -c`, with this folder as its argument: imported modules are compiled only once. The folder
is removed from the path again, since none of its modules may replace one of Python's.
"""
ORDER = "DEVINIT_CONTAINER"
"""The variable with the order as JSON. It may hold secrets, and only its user can read an environment."""
SPEC = "dev.devinit.spec"
LOOPBACK = "127.0.0.1"
FAILED = 125
"""The exit code without a container that could end with a code, as with `docker run`."""
NOT_FOUND = 404
AGAIN_SECONDS = (0.1, 2.0)
"""First and longest pause before an engine that was away is asked again."""


class Ended(Exception):
    """The end of the process, with its exit code: there is no container any more, or never was."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Request:
    """A request to end, made by a signal, with a descriptor that the signal wakes."""

    def __init__(self) -> None:
        self.is_made = False
        self.descriptor, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._make)

    def take(self) -> None:
        """Get ready for the next signal."""
        os.read(self.descriptor, 64)

    def _make(self, *_: object) -> None:
        self.is_made = True


class Shim:
    """One container, from its creation to its end."""

    def __init__(self, order: Json) -> None:
        self.order = order
        self.engine = Engine(order["socket"])
        self.record = Vouched(order["record"])
        self.id = ""
        self.code: int | None = None
        self._wait: Response | None = None
        self._logs: Response | None = None
        self._stop: Response | None = None
        self._is_stopping = False
        self._waited = b""
        self._output = Output(f"{order['record']}.seen")
        self._request = Request()

    def run(self) -> int:
        """Return the exit code of the container."""
        try:
            self._patiently(self._begin)
            while True:
                try:
                    self._copy_until_it_ends()
                    break
                except EngineAway:
                    self._away()
            self._finish()
        except Ended as ended:
            if ended.words:
                say(ended.words)
            return ended.code
        return FAILED if self.code is None else self.code & 255

    def _begin(self) -> None:
        """Take over the running container, or create one and start it."""
        found = self._find(self.order["name"]) or self._of_before()
        if found is not None:
            if not self.record.vouches_for(found):
                raise Ended(
                    FAILED,
                    f"there is a container {self.order['name']} already, and it is on no record of this checkout: "
                    f"`docker rm -f {self.order['name']}` removes it, if it is not needed",
                )
            labels = found["Config"].get("Labels") or {}
            if found["State"]["Running"] and labels.get(SPEC) == self.order["spec"]:
                self._output.remember()
                self._relay()
                self._follow(found, "not-running")
                return
            self._remove(found["Id"], is_running=found["State"]["Running"])
        if self._request.is_made:
            raise Ended(0)
        self._create()

    def _relay(self) -> None:
        """Let the container reach the services of its project before its program looks for them."""
        relay = Relay(self.order["gateway"], self.order["subnet"], self.order["relays"])
        if relay.not_reached:
            ports = ", ".join(map(str, relay.not_reached))
            say(f"the container does not reach port {ports} of this machine: a restart finds another way")
        relay.begin()

    def _of_before(self) -> Json | None:
        """Return the recorded container, which has another name if the checkout was moved."""
        known = self.record.values.get("id")
        found = self._find(known) if known and self.record.values.get("token") else None
        return found if found is not None and self.record.vouches_for(found) else None

    def _create(self) -> None:
        try:
            self._create_once()
        except Refused as refused:
            # The checkout's last other container has just ended, and has removed the network.
            try:
                self._have_network()
                self._create_once()
            except Refused:
                raise Ended(FAILED, f"the container cannot be started: {refused.words}") from refused

    def _have_network(self) -> None:
        network = self.order["network"]
        lock = os.open(self.order["lock"], os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.engine.ask("GET", f"/networks/{quoted(network['Name'])}")
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
            self.engine.ask("POST", "/networks/create", network)
        finally:
            os.close(lock)

    def _create_once(self) -> None:
        token = os.urandom(16).hex()
        self._output.begin()
        # Recorded before there is a container, so that none ever runs unrecorded.
        self.record.write(token=token, id="", pid=0, published=[], away=False)
        body = self.order["body"]
        labels = {**body["Labels"], self.record.TOKEN: token, SPEC: self.order["spec"]}
        try:
            made = self.engine.ask(
                "POST",
                f"/containers/create?name={quoted(self.order['name'])}",
                {**body, "Labels": labels},
            )
            self.id = made["Id"]
            self.record.write(id=self.id)
            self._wait = self.engine.send(
                "POST", f"/containers/{self.id}/wait?condition=next-exit", seconds=None
            )
            self._wait.head()
            self._relay()
            self.engine.ask("POST", f"/containers/{self.id}/start", seconds=None)
        except Refused as refused:
            if self.id:
                self._remove(self.id, is_running=False)
                self.id = ""
            if refused.status == NOT_FOUND and self.order["network"]["Name"] in refused.words:
                raise
            raise Ended(FAILED, f"the container cannot be started: {refused.words}") from refused
        found = self._find(self.id)
        if found is None:
            self.record.write(token="")
            raise Ended(FAILED, "the container was removed while it was started")
        self._follow(found, "")

    def _follow(self, found: Json, condition: str) -> None:
        """Follow a container: record the engine's description of it, read its output, wait for its end."""
        self.id = found["Id"]
        published = self._published(found) if found["State"]["Running"] else []
        self.record.write(
            id=self.id,
            pid=found["State"].get("Pid") or 0,
            published=published,
            away=False,
        )
        self._reached(os.mkdir)
        if condition:
            self._wait = self.engine.send(
                "POST", f"/containers/{self.id}/wait?condition={condition}", seconds=None
            )
            self._wait.head()
        self._logs = self._read()

    def _published(self, found: Json) -> list[int]:
        """Return the ports published on loopback; end the container if the engine publishes one elsewhere."""
        ports = found["NetworkSettings"].get("Ports") or {}
        published = []
        for inside, bindings in ports.items():
            for binding in bindings or ():
                if binding["HostIp"] != LOOPBACK:
                    self._remove(self.id, is_running=True)
                    raise Ended(
                        FAILED,
                        f"the engine publishes {inside} on {binding['HostIp']} instead of {LOOPBACK}, where other "
                        "machines reach it: the container was removed",
                    )
                published.append(int(binding["HostPort"]))
        return published

    def _read(self) -> Response:
        path = f"/containers/{self.id}/logs?stdout=1&stderr=1&timestamps=1&follow=1{self._output.since()}"
        answer = self.engine.send("GET", path, seconds=None)
        answer.head()
        self._output.copy(answer.receive())
        return answer

    def _copy_until_it_ends(self) -> None:
        """Copy the output until the container has ended and all output is copied."""
        while self._wait is not None or self._logs is not None:
            if self._request.is_made and not self._is_stopping and self.code is None:
                self._stop, self._is_stopping = self._stopping(), True
            answers = {
                each.fileno(): each for each in (self._wait, self._logs, self._stop) if each is not None
            }
            poll = select.poll()
            for descriptor in (*answers, self._request.descriptor):
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                if descriptor == self._request.descriptor:
                    self._request.take()
                else:
                    self._take(answers[descriptor])

    def _take(self, answer: Response) -> None:
        """Process the data that has arrived of an answer."""
        data = answer.receive()
        if answer is self._logs:
            self._output.copy(data)
            if answer.has_ended:
                self._logs = None
                answer.close()
        elif answer is self._wait:
            self._waited += data
            if answer.has_ended or self._waited.rstrip().endswith(b"}"):
                self.code = decode(self._waited)["StatusCode"]
                self._wait = None
                answer.close()
        elif answer.has_ended:
            self._stop = None
            answer.close()

    def _stopping(self) -> Response:
        """Ask the engine to end the container: by the image's own signal, and by KILL after its grace."""
        return self.engine.send("POST", f"/containers/{self.id}/stop?t={self.order['grace']}", seconds=None)

    def _away(self) -> None:
        """Wait for the engine, and find the same container again: it may run on without its engine."""
        for each in (self._wait, self._logs, self._stop):
            if each is not None:
                each.close()
        self._wait = self._logs = self._stop = None
        self._is_stopping = False
        if self.code is not None:
            return
        self._reached(os.rmdir)
        found = self._patiently(lambda: self._find(self.id))
        if found is None:
            self.record.write(token="", pid=0, published=[])
            raise Ended(FAILED, "the container was removed while its engine was away")
        if self.record.values.get("away"):
            say("the container engine is back")
        # The output that is there is copied in any case.
        self._patiently(lambda: self._follow(found, "not-running"))

    def _reached(self, step: Callable[[str], None]) -> None:
        """Keep a folder for as long as the engine answers; its removal wakes the supervisor."""
        with suppress(OSError):  # it is so already
            step(f"{self.order['record']}.reached")

    def _patiently(self, step: Callable[[], Any]) -> Any:
        """Take a step; if an engine that was there before is away, wait for it."""
        pause, longest = AGAIN_SECONDS
        while True:
            try:
                return step()
            except EngineAway as away:
                if not (self.id or self.order["patient"]):
                    raise Ended(FAILED, str(away)) from away
                if self._request.is_made and not self.id:
                    raise Ended(0) from away
                if not self.record.values.get("away"):
                    self.record.write(away=True)
                    say("the container engine has gone away: waiting for it")
            poll = select.poll()
            poll.register(self._request.descriptor, select.POLLIN)
            if poll.poll(pause * 1000):
                self._request.take()
            pause = min(2 * pause, longest)

    def _finish(self) -> None:
        """Report why the container ended if its code does not tell, and remove it. All its output is copied."""
        try:
            found = self._find(self.id)
            if found is not None:
                state = found["State"]
                if state.get("OOMKilled"):
                    say("the container was ended: it used more memory than there is for it")
                if state.get("Error"):
                    say(state["Error"])
            self._remove(self.id, is_running=False)
            with suppress(Refused):  # other containers of the checkout are in it, or it has gone
                self.engine.ask("DELETE", f"/networks/{quoted(self.order['network']['Name'])}")
        except EngineAway:
            pass  # the record still proves that it is ours, and the next start removes it
        # An unrequested end may have come with the engine's: the next run is patient for a while.
        self.record.write(pid=0, published=[], ended=0 if self._request.is_made else int(time.time()))
        self._reached(os.rmdir)

    def _find(self, name: str) -> Json | None:
        try:
            found: Json = self.engine.ask("GET", f"/containers/{quoted(name)}/json")
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise Ended(FAILED, f"the container engine answers: {refused.words}") from refused
        return found

    def _remove(self, container: str, *, is_running: bool) -> None:
        """Remove a container with its anonymous volumes; if it runs, ask it to end first."""
        try:
            if is_running:
                self.engine.ask("POST", f"/containers/{container}/stop?t={self.order['grace']}", seconds=None)
            self.engine.ask("DELETE", f"/containers/{container}?force=1&v=1", seconds=None)
        except Refused as refused:
            if refused.status != NOT_FOUND:
                say(f"the container cannot be removed: {refused.words}")
                return
        self.record.write(token="")


def run_inside(order: Json) -> int:
    """Run a command in the recorded container, and return its exit code."""
    engine, record = Engine(order["socket"]), Vouched(order["record"])
    container = record.values.get("id") or order["name"]
    try:
        made = engine.ask(
            "POST",
            f"/containers/{quoted(container)}/exec",
            {"AttachStdout": True, "AttachStderr": True, "Cmd": order["inside"]},
        )
        answer = engine.send("POST", f"/exec/{made['Id']}/start", {"Detach": False}, seconds=None)
        for _ in answer.parts():
            pass
        return int(engine.ask("GET", f"/exec/{made['Id']}/json")["ExitCode"] or 0)
    except (EngineAway, Refused) as error:
        say(str(error))
        return FAILED


def main() -> int:
    """Carry out the order in the environment."""
    order: Json = decode(os.environb[ORDER.encode()])
    return run_inside(order) if "inside" in order else Shim(order).run()
