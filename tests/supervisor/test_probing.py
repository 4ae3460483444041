"""Specifies `devinit.supervisor.readiness.probing`: one attempt of each probe, against real little servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest

from devinit.model.probe import (
    ExchangeProbe,
    ExecProbe,
    HttpProbe,
    LogProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    StayedUpProbe,
    TcpProbe,
)
from devinit.model.service import Endpoint
from devinit.supervisor.readiness import probing
from devinit.supervisor.readiness.probing import attempt, intervals
from devinit.system import matching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from ssl import SSLContext

READY = ProbeResult(ProbeVerdict.READY)
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(
    answer: bytes | Answer, host: str = "127.0.0.1", tls: SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve one answer to every connection, which is then closed; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(answer, bytes):
                await reader.read(1)
                writer.write(answer)
            else:
                await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, host, 0, ssl=tls)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def try_once(probe: Probe, *, code: int = 0, output: str = "") -> ProbeResult:
    """Carry a probe out, with a command that exits with this code and a service that has printed this."""

    async def run_command(_command: str) -> int:
        return code

    return await attempt(probe, run_command, lambda: output)


def http(port: int, **fields: object) -> HttpProbe:
    return HttpProbe(host="127.0.0.1", port=port, path="/health", **fields)  # type: ignore[arg-type]  # as given


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give an attempt a twentieth of a second instead of five."""
    monkeypatch.setattr(probing, "ATTEMPT_SECONDS", 0.05)


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a regular expression a twentieth of a second, and let none be known as slow."""
    monkeypatch.setattr(matching, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(matching, "_allowance", matching.Allowance())


class TestTcp:
    async def test_is_ready_when_a_connection_is_accepted(self) -> None:
        async with server(b"") as port:
            assert await try_once(TcpProbe("127.0.0.1", port)) == READY

    async def test_says_that_nothing_listens(self) -> None:
        async with server(b"") as port:
            pass

        result = await try_once(TcpProbe("127.0.0.1", port))

        assert result == ProbeResult(ProbeVerdict.NOT_YET, "nothing listens yet")

    async def test_says_what_is_wrong_with_a_host_that_does_not_exist(self) -> None:
        result = await try_once(TcpProbe("no-such-host.invalid", 80))

        assert result.verdict is ProbeVerdict.NOT_YET
        assert result.detail


class TestHttp:
    @pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found", "399 Odd"])
    async def test_is_ready_on_success_and_on_redirection(self, status: str) -> None:
        async with server(f"HTTP/1.1 {status}\r\n\r\n".encode()) as port:
            assert await try_once(http(port)) == READY

    @pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "503 Busy", "101 Switching"])
    async def test_is_refused_on_every_other_status(self, status: str) -> None:
        async with server(f"HTTP/1.0 {status}\r\n\r\n".encode()) as port:
            result = await try_once(http(port))

        assert result == ProbeResult(
            ProbeVerdict.REFUSED, f"GET /health answered {status[:3]}", int(status[:3])
        )

    async def test_is_ready_on_exactly_the_statuses_that_are_named(self) -> None:
        async with server(b"HTTP/1.1 401 Who?\r\n\r\n") as port:
            assert await try_once(http(port, status=(401, 403))) == READY
            assert (await try_once(http(port, status=(200,)))).verdict is ProbeVerdict.REFUSED

    async def test_asks_as_a_client_that_was_given_the_url_which_is_shown(self) -> None:
        asked: list[bytes] = []

        async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async with server(record) as port:
            endpoint = Endpoint(
                service="web", host="127.0.0.1", port=port, url=f"http://localhost:{port}/app"
            )
            await try_once(HttpProbe.of(endpoint, "/health"))

        assert asked[0].startswith(f"GET /health HTTP/1.1\r\nHost: localhost:{port}\r\n".encode())

    async def test_asks_an_ipv6_address_in_brackets(self) -> None:
        asked: list[bytes] = []

        async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async with server(record, "::1") as port:
            result = await try_once(HttpProbe(host="::1", port=port, path="/"))

        assert result == READY
        assert f"Host: [::1]:{port}".encode() in asked[0]

    async def test_is_ready_when_the_body_matches(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n{'status': 'up'}") as port:
            assert await try_once(http(port, body=r"status.*up")) == READY

    async def test_is_refused_when_the_body_does_not_match(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n{'status': 'down'}") as port:
            result = await try_once(http(port, body="up"))

        assert result == ProbeResult(ProbeVerdict.REFUSED, "GET /health: the body does not match 'up'")

    @pytest.mark.timeout(120)
    @pytest.mark.usefixtures("little_patience")
    async def test_is_refused_when_the_pattern_takes_for_ever_for_the_body(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 60 + b"!") as port:
            result = await try_once(http(port, body="(a+)+$"))

        assert result.verdict is ProbeVerdict.REFUSED
        assert "GET /health: the regular expression '(a+)+$' takes longer than 0.05 s" in result.detail

    async def test_does_not_look_for_the_body_in_the_headers(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\nX-State: up\r\n\r\ndown") as port:
            assert (await try_once(http(port, body="up"))).verdict is ProbeVerdict.REFUSED

    async def test_does_not_wait_for_the_end_of_a_body_that_matches(self) -> None:
        async def keep_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nup")
            await reader.read()

        async with server(keep_open) as port:
            assert await try_once(http(port, body="up")) == READY

    async def test_reads_no_more_of_a_body_than_64_kib(self) -> None:
        async with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000 + b"up") as port:
            assert (await try_once(http(port, body="up"))).verdict is ProbeVerdict.REFUSED

    @pytest.mark.parametrize(
        "answer", [b"", b"+PONG\r\n", b"\x00\xff\xfe" * 100, b"HTTP/2.0 200\r\n", b"x" * 100_000]
    )
    async def test_says_that_the_answer_is_not_http(self, answer: bytes) -> None:
        async with server(answer) as port:
            result = await try_once(http(port))

        assert result.verdict is ProbeVerdict.NOT_YET
        assert result.detail.startswith(("the answer is not HTTP", "Connection reset"))

    @pytest.mark.usefixtures("hurry")
    async def test_gives_up_an_attempt_that_gets_no_answer(self) -> None:
        async with server(never) as port:
            result = await try_once(http(port))

        assert result == ProbeResult(ProbeVerdict.NOT_YET, "no answer within 0.05 s", timed_out=True)


class TestAnExchange:
    def probe(self, port: int, farewell: bytes = b"") -> ExchangeProbe:
        def judge(answer: bytes) -> ProbeResult:
            return READY if answer == b"+PONG\r\n" else ProbeResult(ProbeVerdict.REFUSED, answer.decode())

        return ExchangeProbe(host="127.0.0.1", port=port, request=b"PING\r\n", judge=judge, farewell=farewell)

    async def test_lets_the_provider_judge_the_answer(self) -> None:
        async with server(b"+PONG\r\n") as port:
            assert await try_once(self.probe(port)) == READY
        async with server(b"-LOADING") as port:
            assert await try_once(self.probe(port)) == ProbeResult(ProbeVerdict.REFUSED, "-LOADING")

    async def test_says_goodbye(self) -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"+PONG\r\n")
            heard.put_nowait(await reader.read())

        async with server(listen) as port:
            await try_once(self.probe(port, farewell=b"QUIT\r\n"))

            assert await heard.get() == b"QUIT\r\n"

    async def test_is_not_over_when_the_connection_is_closed(self) -> None:
        async with server(b"") as port:
            result = await try_once(self.probe(port))

        assert result.verdict is ProbeVerdict.NOT_YET

    @pytest.mark.usefixtures("hurry")
    async def test_is_given_up_without_an_answer(self) -> None:
        async with server(never) as port:
            assert (await try_once(self.probe(port))).detail == "no answer within 0.05 s"


class TestTheOthers:
    async def test_a_command_is_ready_when_it_exits_with_0(self) -> None:
        assert await try_once(ExecProbe("pg_isready"), code=0) == READY
        assert await try_once(ExecProbe("pg_isready"), code=2) == ProbeResult(
            ProbeVerdict.NOT_YET, "`pg_isready` exited with code 2"
        )

    async def test_a_pattern_is_ready_when_a_line_of_the_output_matches(self) -> None:
        output = "compiling\n  ready in 300 ms\n"

        assert await try_once(LogProbe(r"^\s+ready in \d+ ms$"), output=output) == READY
        assert await try_once(LogProbe("listening"), output=output) == ProbeResult(
            ProbeVerdict.NOT_YET, "no line of the output matches 'listening'"
        )

    @pytest.mark.timeout(120)
    @pytest.mark.usefixtures("little_patience")
    async def test_a_pattern_that_takes_for_ever_is_not_ready(self) -> None:
        result = await try_once(LogProbe("(a+)+$"), output="a" * 60 + "!\n")

        assert result.verdict is ProbeVerdict.NOT_YET
        assert "the regular expression '(a+)+$' takes longer than 0.05 s" in result.detail

    @pytest.mark.usefixtures("hurry")
    async def test_staying_up_may_take_longer_than_an_answer(self) -> None:
        assert await try_once(StayedUpProbe(0.1)) == READY


class TestTheIntervals:
    def test_begin_short_and_never_become_long(self) -> None:
        first, *rest = islice(intervals(), 40)

        assert first == 0.004
        assert all(before <= after for before, after in pairwise(rest))
        assert rest[-1] == 0.5
