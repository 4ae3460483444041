"""Today's commands with the supervisor of the commit before, and today's supervisor with the commands of that commit.

Their conversations were recorded (`recorded/`). A supervisor may be older than the command by an upgrade that came
while services ran, and newer where two versions are installed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from devinit import __version__
from devinit.control.async_client import connected
from devinit.control.client import Client, RemoteError
from devinit.control.greeting import WIRE
from devinit.control.launch import connect_or_start, connect_to
from devinit.dashboard.link import Found, SupervisorLink
from devinit.errors import SupervisorError
from devinit.model.status import Phase
from devinit.supervisor.record.state_file import read_state
from devinit.system.checkout import claim
from tests.control.recorded.parameters import PARAMETERS
from tests.control.recorded.player import Player, Recording
from tests.supervisor.conftest import free_ports, make_shop, port, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.control.recorded.player import Message
    from tests.supervisor.conftest import Shop

__all__ = ["free_ports", "make_shop", "port", "shop"]
pytestmark = pytest.mark.timeout(120)

BOTH = f"the supervisor is devinit 0.1.0 (wire 1), this command is devinit {__version__} (wire {WIRE})"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The recording's project."""
    path = tmp_path / "shop"
    path.mkdir()
    (path / "devinit.toml").write_text(
        '[services.web]\ncommand = "sleep 1000"\nport = 24311\n'
        '[services.worker]\ncommand = "sleep 1000"\ndepends_on = ["web"]\n'
    )
    return path


@pytest.fixture
def old(root: Path) -> Iterator[Player]:
    """The supervisor of then."""
    with Player(root, Recording(root)) as player:
        yield player


def devinit(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devinit", "-C", str(root), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestASupervisorOfTheFirstWire:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (("status",), "Web (port 24311): ✓ Running"),
            (("status", "--json"), '"phase": "ready"'),
            (("why", "web"), "python3 -m http.server"),
            (("why", "web", "--json"), '"name": "web"'),
            (("env",), "WEB_PORT=24311"),
            (("env", "--json"), '"WEB_PORT": "24311"'),
            (("ports",), "24311"),
            (("ports", "--json"), "24311"),
            (("stop",), "stopped"),
        ],
    )
    def test_is_understood_by(self, root: Path, old: Player, words: tuple[str, ...], expected: str) -> None:
        done = devinit(root, *words)

        assert (done.returncode, expected in done.stdout + done.stderr) == (0, True), (
            done.stdout,
            done.stderr,
        )

    @pytest.mark.parametrize(
        "words", [("start", "-d"), ("restart", "worker", "-d"), ("restart", "--changed")]
    )
    def test_that_cannot_be_replaced_is_given_the_order_and_told_of(
        self, root: Path, old: Player, words: tuple[str, ...]
    ) -> None:
        done = devinit(root, *words)

        assert done.returncode == 0, done.stderr
        assert BOTH in " ".join(done.stderr.split())
        assert words[0] in [request["method"] for request in old.asked]

    def test_is_told_of_in_an_event_where_a_program_reads(self, root: Path, old: Player) -> None:
        done = devinit(root, "start", "--json")

        first = json.loads(done.stdout.splitlines()[0])
        assert (first["type"], first["service"], BOTH in first["message"]) == ("note", None, True)
        assert first["at"] > 1e9
        assert done.returncode == 0

    async def test_is_understood_by_the_dashboard(self, root: Path, old: Player) -> None:
        news: asyncio.Queue[object] = asyncio.Queue()
        link = SupervisorLink(root, {}, None)
        following = asyncio.create_task(link.follow(news.put_nowait))
        try:
            async with asyncio.timeout(30):
                found = await news.get()
                assert isinstance(found, Found), found
                assert [each["name"] for each in found.status["services"]] == ["web", "worker"]
                assert found.environment["WEB_PORT"] == "24311"
                assert "files" in await link.ask("inspect", {"service": "web"})
        finally:
            following.cancel()
            await asyncio.wait([following])

    def test_of_another_checkout_is_not_taken_for_this_ones(self, root: Path, tmp_path: Path) -> None:
        """Its greeting has no root, so it is asked."""
        with Player(root, Recording(tmp_path / "elsewhere")) as player:
            assert connect_to(root) is None
            assert [request["method"] for request in player.asked] == ["ping"]


class TestAFieldThatTheSupervisorDoesNotKnow:
    def test_is_refused_with_both_versions_and_a_way_on(self, root: Path, old: Player) -> None:
        with (
            closing(found(root)) as client,
            pytest.raises(RemoteError, match="unknown field `novel`") as caught,
        ):
            client.call("start", {"services": [], "novel": 1})

        assert caught.value.hint is not None
        assert BOTH in caught.value.hint
        assert "services keep running" in caught.value.hint
        assert caught.value.exit_code == SupervisorError.exit_code

    async def test_is_refused_so_for_programs_that_wait_for_several_answers(
        self, root: Path, old: Player
    ) -> None:
        client = await connected(root, start=False)
        assert client is not None
        async with client:
            with pytest.raises(RemoteError, match="unknown field `novel`") as caught:
                await client.call("start", {"novel": 1})

        assert BOTH in str(caught.value.hint)

    def test_is_refused_by_today_s_with_its_version(self, shop: Shop) -> None:
        shop.service("web", "never", ready={"after": 0.01})
        shop.up()

        with shop.subscribe() as raw:
            errors = [raw.ask("start", novel=1), raw.ask("novel")]

        for error in errors:
            assert f"devinit {__version__} (wire {WIRE})" in error["data"]["hint"]
            assert error["data"]["exit_code"] == SupervisorError.exit_code


class TestAFieldThatTheCommandDoesNotKnow:
    @pytest.mark.parametrize("words", [("start", "-d"), ("status",), ("why", "web"), ("ports",), ("stop",)])
    def test_is_passed_over(self, root: Path, words: tuple[str, ...]) -> None:
        recording = Recording(root)
        for _, messages in recording.exchanges():
            for message in messages:
                add_what_is_novel(message)
        recording.greeting()["params"]["novel"] = {"of": "another version"}
        with Player(root, recording):
            done = devinit(root, *words)

        assert done.returncode == 0, done.stderr

    def test_in_an_event_of_its_own_is_passed_over(self, root: Path) -> None:
        recording = Recording(root)
        recording.answers("start").insert(
            0, {"jsonrpc": "2.0", "method": "event", "params": {"type": "novel"}}
        )
        with Player(root, recording):
            assert devinit(root, "start", "-d").returncode == 0


class TestARecordOfTheFirstWire:
    def test_is_read_by_the_supervisor_that_takes_over(self, root: Path) -> None:
        private = Path(claim(root))
        (private / "state.json").write_text(Recording(root).state)

        state = read_state(private)

        assert (state.project, state.root) == ("shop", str(root))
        assert [each.phase for each in state.services.values()] == [Phase.READY, Phase.READY]
        assert state.services["web"].ports[0].port == 24311
        assert state.services["web"].service.command == "python3 -m http.server ${PORT} --bind 127.0.0.1"
        assert all(each.identity is not None for each in state.services.values())

    def test_of_a_later_one_is_refused_with_both_formats(self, root: Path) -> None:
        (Path(claim(root)) / "state.json").write_text('{"version": 7, "services": "of another kind"}')

        done = devinit(root, "start", "-d")

        assert done.returncode == SupervisorError.exit_code
        assert (
            f"was written by a newer devinit (format 7); this is devinit {__version__} (format 1)"
            in done.stderr
        )
        assert "use the newer devinit" in done.stderr


class TestACommandOfTheFirstWire:
    def test_finds_everything_that_it_reads_in_what_today_s_supervisor_says(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port, command="python3 -m http.server ${PORT} --bind 127.0.0.1")
        shop.service("worker", command="sleep 1000", ready={"after": 0.01}, depends_on=["web"])
        missing: list[str] = []

        for request, then in Recording(shop.root, port).exchanges():
            # A command of then starts the supervisor that is installed, where none runs.
            with closing(connect_or_start(shop.root)) as client:
                now = said_to(client, request)
            missing += [f"{request['method']}: {each}" for each in lacking(then, now)]

        assert missing == []

    def test_may_give_every_parameter_that_it_knows(self, root: Path) -> None:
        known = {
            method: {field.name for field in msgspec.structs.fields(kind)}
            for method, kind in PARAMETERS.items()
        }

        assert {
            method: sorted(set(names) - known[method])
            for method, names in Recording(root).parameters.items()
            if set(names) - known[method]
        } == {}

    def test_hears_a_greeting_with_what_it_looks_for(self, shop: Shop) -> None:
        shop.service("web", "never", ready={"after": 0.01})
        shop.up()

        with closing(found(shop.root)) as client:
            assert client.greeting.version == __version__
        assert Recording(shop.root).greeting()["method"] == "hello"


def found(root: Path) -> Client:
    client = connect_to(root)
    assert client is not None
    return client


def said_to(client: Client, request: Message) -> list[Message]:
    """Send a request as it was recorded; return all that is said until it is answered."""
    said: list[Message] = []
    client._last_id = request["id"] - 1  # as the client of then counted
    result = client.call(
        request["method"],
        request["params"],
        lambda event: said.append({"jsonrpc": "2.0", "method": "event", "params": event}),
    )
    return [*said, {"jsonrpc": "2.0", "id": request["id"], "result": result}]


def lacking(then: list[Message], now: list[Message]) -> list[str]:
    """Return what was said then and is not said now: kinds of events, fields of each, of the result."""
    fields = {kind: fields_of(message["params"]) for kind, message in events_in(then).items()}
    today = {kind: fields_of(message["params"]) for kind, message in events_in(now).items()}
    # Which phases, ports and notes are told depends on what was there before.
    gone = [
        f"event {kind}: {field}"
        for kind, names in fields.items()
        if kind in today
        for field in sorted(names - today[kind])
    ]
    gone += [f"no event {kind}" for kind in ("plan", "summary") if kind in fields and kind not in today]
    return gone + sorted(fields_of(then[-1]["result"]) - fields_of(now[-1]["result"]))


def events_in(messages: list[Message]) -> dict[str, Message]:
    return {each["params"]["type"]: each for each in messages if each.get("method") == "event"}


def fields_of(value: Any, place: str = "") -> set[str]:
    """Return the places of all fields in a value; elements of a list share theirs."""
    if isinstance(value, list):
        return {field for each in value for field in fields_of(each, f"{place}[]")}
    if not isinstance(value, dict):
        return set()
    inner = {field for name, each in value.items() for field in fields_of(each, f"{place}.{name}")}
    return inner | {f"{place}.{name}" for name in value}


def add_what_is_novel(message: Message) -> None:
    """Add a field that no command knows to a message, and to what it carries."""
    for value in (message, message.get("params"), message.get("result")):
        if isinstance(value, dict) and value and "PATH" not in value:
            value["novel"] = [1, {"of": "another version"}]
