"""Requests to Caddy's admin socket: HTTP with an empty Host header, the only one that it accepts there."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from devinit.control.client import peer

ANSWER_SECONDS = 10.0


class Refused(Exception):
    """Caddy rejected a request, such as a configuration."""


async def load(path: str, configuration: dict[str, Any]) -> None:  # Any: Caddy's own format
    """Replace the whole configuration. Raise Refused, or OSError when no Caddy listens."""
    status, said = await _ask(path, "POST", "/load", json.dumps(configuration).encode())
    if status != 200:  # noqa: PLR2004  HTTP's
        raise Refused(said.decode(errors="replace").strip() or f"status {status}")


async def metrics(path: str) -> bytes:
    """Return Caddy's own metrics in the format of Prometheus; empty if they are not available."""
    try:
        status, said = await _ask(path, "GET", "/metrics")
    except (OSError, TimeoutError):
        return b""
    return said if status == 200 else b""  # noqa: PLR2004  HTTP's


def process_at(path: str) -> tuple[int, int | None]:
    """Return the pid and uid of the process that listens on a socket; (0, None) if none does."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(1)
        connection.connect(path)
        return peer(connection)
    except OSError:
        return 0, None
    finally:
        connection.close()


async def _ask(path: str, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            head = f"{method} {target} HTTP/1.0\r\nHost:\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.read(-1)
        finally:
            writer.close()
    head_bytes, _, said = answer.partition(b"\r\n\r\n")
    words = head_bytes.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004  a version and a status
        raise ConnectionError("no answer")
    return int(words[1]), said
