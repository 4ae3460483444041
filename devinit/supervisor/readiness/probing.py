"""Probes: single attempts, and the pauses until a service is proven ready.

There are two stages. Until the service's own process listens, the kernel is asked (some 60 µs each time, so it can
be asked often); from then on the service itself is asked, in its own protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.model.probe import (
    USER_AGENT,
    EndProbe,
    ExchangeProbe,
    ExecProbe,
    HttpProbe,
    LogProbe,
    LookProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    StayedUpProbe,
    TcpProbe,
)
from devinit.model.service import Scheme
from devinit.supervisor.processes.turns import Turns
from devinit.system.connections import arrives, is_accepted
from devinit.system.descriptors import descriptors
from devinit.system.listeners import tcp_listeners
from devinit.system.matching import PatternTooSlow, is_found

if TYPE_CHECKING:
    import ssl

ATTEMPT_SECONDS = 5.0
"""Seconds for one attempt at first: a page that is compiled on demand is slow without being broken."""
BEFORE_SECONDS = 0.5
"""Seconds within which one's own machine refuses a connection; a rule that drops packets never answers."""
FIRST_INTERVAL_SECONDS = 0.004
"""A listening service is nearly ready: PostgreSQL reports "starting up" for some 5 ms. After twelve attempts
the interval is 30 ms.
"""
LONGEST_INTERVAL_SECONDS = 0.5
BODY_BYTES = 64 * 1024
LONGEST_STATUS_LINE = 8192

GOOD_STATUS = range(200, 400)
NOTHING_LISTENS = "nothing listens yet"

turns = Turns(descriptors.at_once)
"""Limit on concurrent probes: each has a connection open."""

RunCommand = Callable[[str], Awaitable[int]]
"""Runs a command of the service and returns its exit code."""
ReadOutput = Callable[[], str]
"""Returns the output of the service's present run."""


def intervals() -> Iterator[float]:
    """Yield the pauses between attempts in seconds: short at first, never long."""
    interval = FIRST_INTERVAL_SECONDS
    while True:
        yield interval
        interval = min(interval * 1.2, LONGEST_INTERVAL_SECONDS)


async def attempt(
    probe: Probe,
    run_command: RunCommand,
    read_output: ReadOutput,
    seconds: float | None = None,
    *,
    is_own: bool = False,
) -> ProbeResult:
    """Run a probe once, with a time limit.

    `is_own`: the server listens on this machine, so a connection must end there.
    """
    seconds = ATTEMPT_SECONDS if seconds is None else seconds
    if isinstance(probe, StayedUpProbe):
        await asyncio.sleep(probe.seconds)
        return ready()
    if isinstance(probe, EndProbe):
        return not_yet("it has not ended yet")
    return await within(seconds, carry_out(probe, run_command, read_output, is_own=is_own))


async def ask_once(probe: HttpProbe, seconds: float = ATTEMPT_SECONDS) -> ProbeResult:
    """GET a path once, with a time limit."""
    return await within(seconds, get(probe))


async def within(seconds: float, trying: Coroutine[None, None, ProbeResult]) -> ProbeResult:
    """Return the result of an attempt with a time limit; errors become results, too."""
    try:
        # The time limit does not include the wait for a turn.
        async with turns.one(), asyncio.timeout(seconds):
            return await trying
    except TimeoutError:
        return not_yet(f"no answer within {seconds:.3g} s", timed_out=True)
    except Redirected as redirected:
        return ProbeResult(ProbeVerdict.REDIRECTED, str(redirected))
    except OSError as error:
        return not_yet(describe(error))


async def check(
    probe: Probe,
    run_command: RunCommand,
    seconds: float,
    read_output: ReadOutput = str,
    *,
    is_own: bool = False,
) -> ProbeResult:
    """Check once whether a service that was ready is well. Its earlier output is no answer to that.

    A connection by the kernel proves nothing about a server that was up: its queue outlives a worker that died
    under its reloader. So a process has to accept the connection.
    """
    if not isinstance(probe, TcpProbe):
        result = await attempt(probe, run_command, read_output, seconds, is_own=is_own)
        if isinstance(probe, HttpProbe) and result.timed_out and tcp_listeners(probe.port):
            return not_yet(f"it listens, but gives {result.detail}", timed_out=True)
        return result
    try:
        async with turns.one(), asyncio.timeout(seconds):
            await until_accepted(probe, is_own=is_own)
    except TimeoutError:
        return not_yet(
            f"it listens, but no process accepted a connection within {seconds:g} s", timed_out=True
        )
    except OSError as error:
        return not_yet(describe(error))
    return ready()


async def until_accepted(probe: TcpProbe, *, is_own: bool) -> None:
    """Connect, and return when a process has accepted the connection."""
    _, writer = await asyncio.open_connection(probe.host, probe.port)
    try:
        if is_own:
            prove_end(writer)
        own_port = writer.get_extra_info("sockname")[1]
        for interval in intervals():
            if is_accepted(probe.port, own_port):
                return
            await asyncio.sleep(interval)
    finally:
        writer.close()


async def carry_out(
    probe: TcpProbe | HttpProbe | ExchangeProbe | ExecProbe | LogProbe | LookProbe,
    run_command: RunCommand,
    read_output: ReadOutput,
    *,
    is_own: bool,
) -> ProbeResult:
    """Run a probe once, without a time limit."""
    match probe:
        case TcpProbe(host, port):
            _, writer = await asyncio.open_connection(host, port)
            try:
                if is_own:
                    prove_end(writer)
            finally:
                writer.close()
            return ready()
        case HttpProbe():
            return await get(probe, is_own=is_own)
        case ExchangeProbe():
            return await exchange(probe, is_own=is_own)
        case LookProbe(look):
            return await asyncio.to_thread(look)
        case ExecProbe(command):
            code = await run_command(command)
            return ready() if code == 0 else not_yet(f"`{command}` exited with code {code}")
        case LogProbe(pattern):
            try:
                found = matches(probe, read_output())
            except PatternTooSlow as slow:
                return not_yet(str(slow))
            return ready() if found else not_yet(f"no line of the output matches {pattern!r}")


def matches(probe: LogProbe, output: str) -> bool:
    """Return whether a line of the output matches. Raise PatternTooSlow when matching takes too long."""
    return is_found(probe.pattern, output, re.MULTILINE)


class Redirected(OSError):
    """Error for a connection that does not end at the intended server."""


def prove_end(writer: asyncio.StreamWriter) -> None:
    """Raise Redirected for a connection that the kernel sends elsewhere: another program answers it."""
    client, server = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    # Either is missing when the connection is closed already.
    if client and server and not arrives(client[:2], server[:2]):
        raise Redirected(
            f"connections to {server[0]}:{server[1]} do not reach it: the kernel redirects them elsewhere "
            "(a DNAT or REDIRECT rule of iptables or nftables)"
        )


async def redirected_before(probe: TcpProbe) -> str | None:
    """Return why a port is useless for a service that is about to listen on it: another program answers there.

    While nothing listens, a connection is refused, unless the kernel redirects it. No connection is made to the
    service itself, which may accept only one.
    """
    result = await within(BEFORE_SECONDS, carry_out(probe, no_command, str, is_own=False))
    if result.verdict is not ProbeVerdict.READY or tcp_listeners(probe.port):
        return None
    return (
        f"connections to {probe.host}:{probe.port} are answered although nothing listens there: "
        "the kernel redirects them elsewhere (a DNAT or REDIRECT rule of iptables or nftables)"
    )


async def no_command(_command: str) -> int:
    """Run nothing, for a probe that has no command."""
    return 0


async def get(probe: HttpProbe, *, is_own: bool = False) -> ProbeResult:
    """GET a path and judge status and body."""
    reader, writer = await connect(probe)
    try:
        if is_own:
            prove_end(writer)
        request = (
            f"GET {probe.path} HTTP/1.1\r\nHost: {probe.named}\r\n"
            f"User-Agent: {USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
        writer.write(request.encode())
        status = parse_status(await reader.readline())
        if status is None:
            return not_yet("the answer is not HTTP")
        accepted = status in probe.status if probe.status else status in GOOD_STATUS
        if not accepted:
            return ProbeResult(ProbeVerdict.REFUSED, f"GET {probe.path} answered {status}", status)
        if probe.body is None:
            return ready()
        await skip_headers(reader)
        if await body_matches(reader, probe.body):
            return ready()
        return ProbeResult(ProbeVerdict.REFUSED, f"GET {probe.path}: the body does not match {probe.body!r}")
    except PatternTooSlow as slow:
        return ProbeResult(ProbeVerdict.REFUSED, f"GET {probe.path}: {slow}")
    except (ValueError, asyncio.IncompleteReadError) as error:
        return not_yet(f"the answer is not HTTP: {error}")
    finally:
        writer.close()


async def connect(probe: HttpProbe) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection to a web server, with TLS if the probe asks for it."""
    if probe.scheme is Scheme.HTTP:
        return await asyncio.open_connection(probe.host, probe.port, limit=LONGEST_STATUS_LINE)
    tls = await asyncio.to_thread(any_certificate)
    name = probe.named.rpartition(":")[0].strip("[]") or probe.host
    return await asyncio.open_connection(
        probe.host, probe.port, limit=LONGEST_STATUS_LINE, ssl=tls, server_hostname=name
    )


@functools.cache
def any_certificate() -> ssl.SSLContext:
    """Return a TLS context that accepts any certificate.

    A dev server signs its own; the owner of its listening socket proves which service it is.
    """
    import ssl  # 5 ms and 4 MB, only for services with TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def speaks_tls(probe: HttpProbe) -> bool:
    """Return whether a server answers a TLS greeting."""
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            _, writer = await connect(replace(probe, scheme=Scheme.HTTPS))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def skip_headers(reader: asyncio.StreamReader) -> None:
    """Read up to the empty line: the pattern for the body does not apply to headers."""
    while (await reader.readline()).strip():
        pass


async def body_matches(reader: asyncio.StreamReader, pattern: str) -> bool:
    """Return whether the body matches as soon as enough of it has come: some servers keep the connection open.

    Raise PatternTooSlow when matching takes too long.
    """
    body = b""
    while len(body) < BODY_BYTES:
        part = await reader.read(BODY_BYTES - len(body))
        if not part:
            break
        body += part
        if is_found(pattern, body.decode(errors="replace")):
            return True
    return is_found(pattern, body.decode(errors="replace"))


def parse_status(line: bytes) -> int | None:
    """Return the status in an HTTP status line; None when it is no status line."""
    matched = re.match(rb"HTTP/1\.[01] (\d{3})", line)
    return int(matched.group(1)) if matched else None


async def exchange(probe: ExchangeProbe, *, is_own: bool) -> ProbeResult:
    """Send the provider's request and let the provider judge the first answer."""
    reader, writer = await asyncio.open_connection(probe.host, probe.port)
    try:
        if is_own:
            prove_end(writer)
        writer.write(probe.request)
        answer = await reader.read(4096)
        result = probe.judge(answer) if answer else not_yet("it closed the connection")
        with contextlib.suppress(OSError):
            writer.write(probe.farewell)
            await writer.drain()
        return result
    finally:
        writer.close()


def ready() -> ProbeResult:
    """Return the result of a successful probe."""
    return ProbeResult(ProbeVerdict.READY)


def not_yet(detail: str, *, timed_out: bool = False) -> ProbeResult:
    """Return the result of a probe that has to be repeated."""
    return ProbeResult(ProbeVerdict.NOT_YET, detail, timed_out=timed_out)


def describe(error: OSError) -> str:
    """Describe in a few words why a connection failed."""
    if isinstance(error, ConnectionRefusedError):
        return NOTHING_LISTENS
    # asyncio sets neither number nor text when a connection ends in the middle of a TLS handshake.
    return error.strerror or str(error) or "it closed the connection"
