"""A minimal HTTP/1.1 server for a Unix socket to which only Caddy connects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024
_NOT_HTTP = 3
"""Number of words in the first line of an HTTP request."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Values by lower-case name; of repeated headers the last one."""

    def header(self, name: str) -> str:
        """Return a header; empty if it is missing."""
        return self.headers.get(name, "")


Stream: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Response(Struct, frozen=True, kw_only=True):
    """One HTTP response."""

    status: int = 200
    kind: str = "text/plain; charset=utf-8"
    body: bytes = b""
    headers: Mapping[str, str] = {}
    stream: Stream | None = None
    """Writes a body of any duration; the connection is closed after it."""


Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON."""
    body = msgspec.json.encode(value) + b"\n"
    return Response(status=status, kind="application/json", body=body, headers=headers or {})


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while (request := await _read(reader)) is not None:
            try:
                response = await answer(request)
            except Exception:  # the one broad catch here: a defect in one answer must not end others
                log.exception("%s %s failed", request.method, request.path)
                response = Response(status=500, body=b"the gateway failed; its log says why\n")
            await _write(writer, request, response)
            if response.stream is not None:
                return
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return
    except asyncio.CancelledError:
        return  # the gateway ends
    finally:
        writer.close()


def parsed(head: bytes) -> Request | None:
    """Parse the head of a request; return None if it is invalid. Pure."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != _NOT_HTTP or not words[2].startswith("HTTP/1"):
        return None
    pairs = (line.partition(":") for line in lines[1:] if line)
    try:
        target = urlsplit(words[1])
        query = dict(parse_qsl(target.query, max_num_fields=100))
    except ValueError:
        return None
    return Request(
        method=words[0],
        path=target.path,
        query=query,
        headers={name.strip().lower(): value.strip() for name, _, value in pairs},
    )


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request = parsed(head)
    if request is None:
        return None
    length = request.header("content-length") or "0"
    if request.header("transfer-encoding") or not length.isdecimal() or int(length) > LONGEST_BODY:
        return None  # no request here has a long or chunked body
    await reader.readexactly(int(length))
    return request


async def _write(writer: asyncio.StreamWriter, request: Request, response: Response) -> None:
    reason = HTTPStatus(response.status).phrase
    headers = {"Content-Type": response.kind, "Cache-Control": "no-store", **response.headers}
    if response.stream is None:
        headers["Content-Length"] = str(len(response.body))
    else:
        headers["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {response.status} {reason}\r\n{head}\r\n".encode())
    if request.method != "HEAD":
        writer.write(response.body)
    await writer.drain()
    if response.stream is not None and request.method != "HEAD":
        with suppress(ConnectionError):
            await response.stream(writer)
