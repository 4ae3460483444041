"""Specifies `devinit.control.server`: what a client can expect, and what it cannot do to others."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import struct
from typing import TYPE_CHECKING

import pytest

from devinit.control import server
from devinit.control.messages import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Machine
    from tests.control.conftest import House

pytestmark = pytest.mark.timeout(120)

QUESTION = b'{"jsonrpc": "2.0", "id": 1, "method": "echo", "params": {}}\n'


class TestAConversation:
    async def test_that_ends_with_the_supervisor_is_no_error(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        talk = await house.talk()
        await talk.say(b'{"jsonrpc": "2.0", "id": 1, "method": "wait", "params": {}}\n')
        await house.methods.entered.get()
        [conversation] = [each for each in asyncio.all_tasks() if "Server._serve" in repr(each.get_coro())]

        conversation.cancel()
        await asyncio.wait([conversation])
        await talk.is_hung_up_on()

        assert caplog.text == ""


class TestAnAnswer:
    async def test_carries_the_id_of_its_request(self, house: House) -> None:
        talk = await house.talk()

        assert await talk.ask("echo", {"a": 1}, 7) == {"jsonrpc": "2.0", "id": 7, "result": {"a": 1}}
        assert await talk.ask("echo", {}, "seven") == {"jsonrpc": "2.0", "id": "seven", "result": {}}

    async def test_comes_after_the_events_of_its_request(self, house: House) -> None:
        talk = await house.talk()

        first = await talk.ask("tell")

        assert first["method"] == "event"
        assert first["params"] == {"type": "note", "message": "first"}
        assert (await talk.hear())["params"]["message"] == "second"
        assert (await talk.hear())["result"] == "told"

    async def test_goes_out_with_these_events_at_once(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talk = await house.talk()
        written: list[bytes] = []
        write = asyncio.StreamWriter.write

        def note(writer: asyncio.StreamWriter, data: bytes) -> None:
            written.append(data)
            write(writer, data)

        monkeypatch.setattr(asyncio.StreamWriter, "write", note)

        await talk.ask("tell")

        assert [data.count(b"\n") for data in written if b"told" in data] == [3]

    async def test_does_not_wait_for_an_earlier_one(self, house: House) -> None:
        talk = await house.talk()
        await talk.say(b'{"id": 1, "method": "wait"}\n')

        assert (await talk.ask("echo", {}, 2))["id"] == 2

        house.methods.release.set()
        assert (await talk.hear())["id"] == 1

    async def test_comes_to_each_of_many_requests_at_once(self, house: House) -> None:
        talk = await house.talk()
        requests = [{"id": number, "method": "echo", "params": {"n": number}} for number in range(500)]
        await talk.say(b"".join(json.dumps(request).encode() + b"\n" for request in requests))

        answers = [await talk.hear() for _ in requests]

        assert {answer["id"]: answer["result"]["n"] for answer in answers} == {n: n for n in range(500)}

    async def test_may_be_large(self, house: House) -> None:
        talk = await house.talk()

        answer = await talk.ask("echo", {"text": "ü" * 1_000_000})

        assert len(answer["result"]["text"]) == 1_000_000


class TestARequest:
    async def test_for_an_unknown_method_is_refused_by_its_name(self, house: House) -> None:
        talk = await house.talk()

        error = (await talk.ask("fly", None, 3))["error"]

        assert (error["code"], error["message"]) == (METHOD_NOT_FOUND, "unknown method 'fly'")

    @pytest.mark.parametrize("params", [{"services": "web"}, {"service": ["web"]}, {"services": [1]}])
    async def test_with_wrong_parameters_is_refused_with_what_is_wrong(
        self, house: House, params: object
    ) -> None:
        talk = await house.talk()

        error = (await talk.ask("names", params))["error"]

        assert error["code"] == INVALID_PARAMS
        assert error["message"].startswith("names: ")

    @pytest.mark.parametrize(
        "line", [b"{\n", b"\n", b"[]\n", b'"x"\n', b"\xff\xfe\x00\n", b'{"id": 1}\n', b"GET / HTTP/1.1\r\n"]
    )
    async def test_that_is_none_is_refused_and_the_next_one_answered(self, house: House, line: bytes) -> None:
        talk = await house.talk()
        await talk.say(line)

        answer = await talk.hear()

        assert (answer["id"], answer["error"]["code"]) == (None, INVALID_REQUEST)
        assert (await talk.ask("echo", {"still": "there"}))["result"] == {"still": "there"}

    @pytest.mark.parametrize("key", ["params", "unknown", "id"])
    async def test_that_is_nested_too_deeply_is_refused_and_the_next_one_answered(
        self, house: House, key: str
    ) -> None:
        talk = await house.talk()
        await talk.say(b'{"method": "echo", "%s": %s%s}\n' % (key.encode(), b"[" * 100_000, b"]" * 100_000))

        assert (await talk.hear())["error"]["code"] == INVALID_REQUEST
        assert "result" in await talk.ask("echo")

    @pytest.mark.parametrize("key", ["id", "services"])
    @pytest.mark.parametrize("number", [b"9" * 5000, b"1e999", b"-1e999"], ids=["digits", "huge", "tiny"])
    async def test_with_a_giant_number_is_refused_and_the_next_one_answered(
        self, house: House, key: str, number: bytes
    ) -> None:
        talk = await house.talk()
        request = {"id": b'"id": %s', "services": b'"id": 1, "params": {"services": %s}'}[key] % number
        await talk.say(b'{"method": "names", %s}\n' % request)

        assert (await talk.hear())["error"]["code"] in (INVALID_REQUEST, INVALID_PARAMS)
        assert "result" in await talk.ask("echo")

    async def test_whose_answer_cannot_be_encoded_ends_nothing_but_itself(self, house: House) -> None:
        talk = await house.talk()

        error = (await talk.ask("huge"))["error"]

        assert error["code"] == INTERNAL_ERROR
        assert "result" in await talk.ask("echo")

    async def test_that_fails_carries_message_hint_and_exit_code(self, house: House) -> None:
        talk = await house.talk()

        error = (await talk.ask("refuse"))["error"]

        assert (error["code"], error["message"]) == (1003, "port 8000 is taken")
        data = error["data"]
        assert (data["hint"], data["exit_code"], data["kind"]) == ("choose another", 3, "Asked")
        assert data["conflicts"][0]["port"] == 8000

    async def test_that_meets_a_defect_ends_nothing_but_itself(self, house: House) -> None:
        talk = await house.talk()

        error = (await talk.ask("break"))["error"]

        assert (error["code"], error["data"]["exit_code"]) == (INTERNAL_ERROR, 5)
        assert "Traceback" not in json.dumps(error)
        assert "result" in await talk.ask("echo")

    async def test_that_misses_a_module_says_that_the_files_were_replaced(self, house: House) -> None:
        talk = await house.talk()

        error = (await talk.ask("import"))["error"]

        assert error["message"] == (
            "import failed: the files of devinit were replaced while this supervisor ran"
        )
        assert error["data"]["hint"].startswith(f"`kill {os.getpid()}` ends the supervisor")
        assert "result" in await talk.ask("echo")

    async def test_that_finds_no_room_for_a_thread_is_told_the_cause(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talk = await house.talk()

        with monkeypatch.context() as limited:
            # As far as the kernel's refusal goes; a limit for this process alone does not exist.
            limited.setattr("_thread.start_new_thread", refuse_thread)
            limited.setattr("threading._start_new_thread", refuse_thread, raising=False)
            limited.setattr("threading._start_joinable_thread", refuse_thread, raising=False)
            error = (await talk.ask("think"))["error"]

        assert "no room for another thread" in error["message"]
        assert "ulimit -u" in error["data"]["hint"]

    async def test_that_never_ends_is_hung_up_on(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        talk = await house.talk()
        other = await house.talk()
        talk.writer.write(b"x" * (server.LONGEST_REQUEST * 2 + 2))

        assert await talk.is_hung_up_on()
        assert "result" in await other.ask("echo")


class TestAClient:
    async def test_that_goes_away_disturbs_nobody(self, house: House) -> None:
        leaving, staying = await house.talk(), await house.talk()
        await leaving.ask("subscribe")
        await staying.ask("subscribe")

        leaving.close()
        while house.server.connections > 1:
            await house.methods.idle.get()
        for connection in house.methods.connections:
            connection.tell({"type": "note", "message": "hello"})

        assert (await staying.hear())["params"]["message"] == "hello"

    async def test_that_goes_away_during_an_order_lets_it_go_on(self, house: House) -> None:
        leaving = await house.talk()
        await leaving.say(b'{"id": 1, "method": "order"}\n')

        leaving.close()
        house.methods.release.set()

        assert await house.methods.idle.get() == 0
        assert house.methods.done == ["order"]

    async def test_that_goes_away_drops_its_questions(self, house: House) -> None:
        leaving = await house.talk()
        await leaving.say(b'{"id": 1, "method": "wait"}\n' * 5)
        for _ in range(5):
            await house.methods.entered.get()

        leaving.close()

        assert await house.methods.idle.get() == 0
        assert not house.methods.release.is_set()

    async def test_that_asks_145_kb_of_questions_and_hangs_up_has_hardly_one_answered(
        self, house: House
    ) -> None:
        leaving = await house.talk()
        leaving.writer.write(QUESTION * (145_000 // len(QUESTION)))

        leaving.close()

        assert await house.methods.idle.get() == 0
        assert len(house.methods.begun) <= server.MOST_REQUESTS

    async def test_that_orders_much_and_hangs_up_has_a_bounded_part_of_it_carried_out(
        self, house: House
    ) -> None:
        leaving = await house.talk()
        leaving.writer.write(b'{"id": 1, "method": "order"}\n' * 1000)

        leaving.close()
        house.methods.release.set()

        assert await house.methods.idle.get() == 0
        assert 1 <= len(house.methods.done) <= 2 * server.MOST_REQUESTS

    async def test_has_a_bounded_number_of_requests_carried_out_at_once(self, house: House) -> None:
        busy, other = await house.talk(), await house.talk()
        await busy.say(b'{"id": 1, "method": "wait"}\n' * 100)

        assert "result" in await other.ask("echo")
        for _ in range(1000):
            await asyncio.sleep(0)

        assert house.methods.begun.count("wait") == server.MOST_REQUESTS
        house.methods.release.set()
        assert [(await busy.hear())["result"] for _ in range(100)] == ["released"] * 100

    async def test_that_asks_without_end_leaves_others_their_turn(self, house: House) -> None:
        busy, other = await house.talk(), await house.talk()
        busy.writer.write(QUESTION * 2000)

        assert "result" in await other.ask("echo")

        assert len(house.methods.begun) < 200

    async def test_that_does_not_read_neither_grows_nor_blocks_the_server(self, house: House) -> None:
        silent, other = await house.talk(), await house.talk()
        await silent.ask("subscribe")
        silent.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        [connection] = house.methods.connections
        event = {"type": "note", "message": "x" * 100_000}

        for _ in range(1000):
            connection.tell(event)
            await asyncio.sleep(0)

        # What was written before it was hung up on is all that may pile up.
        assert connection._writer.transport.get_write_buffer_size() < server.SLOW_CLIENT_BYTES + 200_000
        assert connection.is_gone
        assert "result" in await other.ask("echo")

    async def test_that_went_away_is_known_to_be_gone(self, house: House) -> None:
        talk = await house.talk()
        await talk.ask("subscribe")
        [connection] = house.methods.connections
        assert not connection.is_gone

        talk.writer.transport.abort()
        await house.methods.idle.get()

        assert connection.is_gone

    async def test_that_has_only_finished_sending_is_answered(self, house: House) -> None:
        talk = await house.talk()
        await talk.say(b'{"id": 1, "method": "wait"}\n')
        talk.writer.write_eof()

        house.methods.release.set()

        assert (await talk.hear())["result"] == "released"

    async def test_is_known_by_its_process(self, house: House) -> None:
        talk = await house.talk()
        await talk.ask("subscribe")

        [connection] = house.methods.connections

        assert connection.pid == os.getpid()

    async def test_of_another_user_is_refused(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "peer", lambda _writer: (4711, os.geteuid() + 1))

        reader, writer = await asyncio.open_unix_connection(str(house.path))

        assert await reader.read() == b""
        writer.close()

    async def test_of_root_is_welcome(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "peer", lambda _writer: (1, 0))

        talk = await house.talk()

        assert "result" in await talk.ask("echo")


class TestAnEvent:
    async def test_that_a_hundred_clients_are_told_is_encoded_once(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talks = [await house.talk() for _ in range(100)]
        for talk in talks:
            await talk.ask("subscribe")
        counting = Counting()
        monkeypatch.setattr(server, "encoder", counting)
        event = {"type": "note", "message": "hello"}

        for connection in house.methods.connections:
            connection.tell(event)

        assert [(await talk.hear())["params"] for talk in talks] == [event] * 100
        assert counting.encoded == 1


class Counting:
    """An encoder that counts."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, message: object) -> bytes:
        self.encoded += 1
        return json.dumps(message).encode()


class TestTheSocket:
    async def test_may_be_used_by_its_owner_only(self, house: House) -> None:
        assert stat.S_IMODE(house.path.stat().st_mode) == 0o600

    async def test_replaces_one_that_a_dead_supervisor_left(
        self, machine: Machine, make_house: Callable[[Path], House]
    ) -> None:
        path = machine.runtime / "stale.sock"
        path.touch()

        async with make_house(path) as house:
            talk = await house.talk()

            assert "result" in await talk.ask("echo")

    async def test_is_removed_at_the_end(self, machine: Machine, make_house: Callable[[Path], House]) -> None:
        async with make_house(machine.runtime / "end.sock") as house:
            pass

        assert not house.path.exists()

    async def test_tells_the_clients_user_by_the_kernels_word(self, house: House) -> None:
        _, writer = await asyncio.open_unix_connection(str(house.path))

        # This end sees the server, which is this very process.
        assert server.peer(writer) == (os.getpid(), os.geteuid())
        assert struct.calcsize("3i") == 12
        writer.close()


def refuse_thread(*_: object, **__: object) -> None:
    raise RuntimeError("can't start new thread")


class TestAName:
    def test_that_is_not_utf_8_is_told_with_a_mark_in_it(self) -> None:
        event = {
            "type": "note",
            "message": os.fsdecode(b"caf\xe9/: no server"),
            "seen": [os.fsdecode(b"\xff")],
        }

        assert json.loads(server.told(event)) == {
            "type": "note",
            "message": "caf\N{REPLACEMENT CHARACTER}/: no server",
            "seen": ["\N{REPLACEMENT CHARACTER}"],
        }
