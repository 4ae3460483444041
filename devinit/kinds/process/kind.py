"""The description of a developer's own command as a kind of service."""

from __future__ import annotations

from devinit.kinds.kind import Kind

PROCESS = Kind(
    name="process",
    runner="devinit.kinds.process.provider:ProcessProvider",
    keys=frozenset({"command", "scheme", "url_path", "docs_path", "warm", "watch", "tty"}),
    runs_a_command=True,
    has_pages=True,
    takes_environment=True,
)
