"""Database servers that save their data when they end: KILL in the middle of that would lose it.

A Redis without an append-only file has its data in memory alone until its last save is on the disk.
"""

from __future__ import annotations

import signal

from devinit.model.process import ProcessFacts

SAVING_SECONDS = 30.0
"""How long such a server is waited for beyond the grace that any other process has."""
_POSTGRESQL = "PostgreSQL"
_SERVERS = {
    "postgres": _POSTGRESQL,
    "postmaster": _POSTGRESQL,
    "redis-server": "Redis",
    "valkey-server": "Valkey",
    "keydb-server": "KeyDB",
    "dragonfly": "Dragonfly",
    "mysqld": "MySQL",
    "mariadbd": "MariaDB",
    "mongod": "MongoDB",
}
"""By the kernel's short name or the name of the program file, what people call it."""

_FORKS = {"redis": "Redis", "valkey": "Valkey", "keydb": "KeyDB", "redict": "Redict", "garnet": "Garnet"}
"""Beginnings of names in which `server` stands as well: `redis6-server`, `redict-server`, `GarnetServer`."""


def saving_server(facts: ProcessFacts) -> str | None:
    """Return the name of the database server that a process is, if it saves when it ends; else None."""
    names = [_unwrapped(name) for name in (facts.name, facts.executable)]
    known = (_SERVERS.get(name) for name in names)
    servers = [name for name in names if "server" in name]
    forks = (title for name in servers for start, title in _FORKS.items() if name.startswith(start))
    return next(filter(None, (*known, *forks)), None)


def _unwrapped(name: str) -> str:
    """Return a program's name without what NixOS adds to it: `.postgres-wrapped`, which the kernel cuts."""
    return name.lower().removeprefix(".").partition("-wrapp")[0]


def is_postgresql(facts: ProcessFacts) -> bool:
    """Tell whether a process is PostgreSQL, or one of its children."""
    return saving_server(facts) == _POSTGRESQL


def request_to_end(facts: ProcessFacts) -> signal.Signals:
    """Return what asks a process to end.

    PostgreSQL: INT is its fast shutdown; TERM would wait for every client to go. No other gets INT: a Redis that
    gets it beside TERM ends without saving.
    """
    return signal.SIGINT if is_postgresql(facts) else signal.SIGTERM


def last_resort(facts: ProcessFacts) -> signal.Signals | None:
    """Return what ends a process of our own that does not end; None for one that may only be waited for.

    PostgreSQL leaves at once on QUIT and loses nothing; KILL would leave its shared memory behind.
    """
    if is_postgresql(facts):
        return signal.SIGQUIT
    return None if saving_server(facts) else signal.SIGKILL
