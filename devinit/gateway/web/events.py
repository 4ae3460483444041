"""Server-sent events: first a snapshot, then each changed service, complete."""

from __future__ import annotations

import asyncio

import msgspec

from devinit.gateway.projects import Joined
from devinit.gateway.snapshot import ServiceNow, Snapshot, changed

HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 500
MOST_QUEUED = 64 * 1024
"""Bytes that may be queued for a reader. With more, it is disconnected; it reconnects, and gets a snapshot."""
KIND = "text/event-stream"


def snapshot_of(joined: Joined) -> Snapshot:
    """Return the present state of a project."""
    return {"project": joined.joining.project, "services": dict(joined.services)}


def event(kind: str, number: str, value: object) -> bytes:
    """Return an event in its wire format; pure."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (number.encode(), kind.encode(), msgspec.json.encode(value))


def news(before: dict[str, ServiceNow], now: Snapshot, number: str) -> bytes:
    """Return the events for a reader after a change; pure. When a service is gone, that is a snapshot."""
    if before.keys() - now["services"].keys():
        return event("snapshot", number, now)
    names = changed(before, now["services"])
    return b"".join(
        event("service", number, {"project": now["project"], "name": name, **now["services"][name]})
        for name in names
    )


async def stream(joined: Joined, generation: str, writer: asyncio.StreamWriter) -> None:
    """Write events until the reader or the project is gone."""
    writer.write(b"retry: %d\n" % RETRY_MILLISECONDS)
    sequence, sent = joined.sequence, snapshot_of(joined)
    writer.write(event("snapshot", f"{generation}-{sequence}", sent))
    while not joined.is_gone and not writer.is_closing():
        if writer.transport.get_write_buffer_size() > MOST_QUEUED:
            return
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await joined.changes_after(sequence)
        except TimeoutError:
            writer.write(b": still here\n\n")
            continue
        sequence, now = joined.sequence, snapshot_of(joined)
        writer.write(news(sent["services"], now, f"{generation}-{sequence}"))
        sent = now
