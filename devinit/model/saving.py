"""Database servers that save their data when they end: KILL during the save would lose it.

A Redis without an append-only file has recent data only in memory until the next save is on disk.
"""

from __future__ import annotations

import re
import signal

from devinit.model.process import ProcessFacts

SAVING_SECONDS = 30.0
"""How long such a server may take beyond the grace period of any other process."""
_POSTGRESQL = "PostgreSQL"
_SERVERS = {
    "postgres": _POSTGRESQL,
    "edb-postgres": _POSTGRESQL,
    "postmaster": _POSTGRESQL,
    "dragonfly": "Dragonfly",
    "mysqld": "MySQL",
    "mariadbd": "MariaDB",
    "mongod": "MongoDB",
}
"""Common names of servers, by the beginning of the program's name; only a release may follow it."""
_FORKS = {"redis": "Redis", "valkey": "Valkey", "keydb": "KeyDB", "redict": "Redict", "garnet": "Garnet"}
_FORK = re.compile(rf"({'|'.join(_FORKS)})(?:[-_]?\d[\d.]*)?(?:-pro)?[-_]?server")
"""`redis-server`, `redis6-server`, `keydb-pro-server`, `GarnetServer`."""

_ARCHITECTURES = """
    x x86 amd arm armv armhf armel aarch i ppc ppc64le ppc64el s390x riscv loongarch universal avx
"""
_SYSTEMS = """
    linux debian ubuntu rhel el centos rocky alma fedora fc suse opensuse sles amazon amzn alpine arch darwin macos
    osx apple pc unknown generic gnu glibc musl
"""
_BUILDS = """
    debug dbg release opt static asan tsan ubsan valgrind nightly snapshot dev devel git rc alpha beta stable lts
    enterprise community ce ee bin real orig old new wrapped tls ssl jemalloc
"""
_RELEASE = frozenset(f"{_ARCHITECTURES} {_SYSTEMS} {_BUILDS}".split())
"""Words of a release, a platform or a build, without trailing digits: `dragonfly-x86_64`, `mysqld-debug`,
`mongod-x64-debian-11-6.0.14`. Any other word makes it another program: `postgres_exporter`, `mysqld_safe`."""
_VERSION = re.compile(r"v?\d\w*|g?(?=[a-f]*\d)[\da-f]{7,40}|armv\d+[a-z]*")
_SEPARATOR = re.compile(r"[-_.+~]+")
_KERNEL_CUTS = 15
"""How many bytes of a name the kernel keeps: `mongod-x64-debi`."""


def saving_server(facts: ProcessFacts) -> str | None:
    """Return the name of the database server that a process is, if it saves when it ends; else None."""
    return _server(facts.name, is_cut=len(facts.name) >= _KERNEL_CUTS) or _server(facts.executable)


def _server(program: str, *, is_cut: bool = False) -> str | None:
    """Return the server that a program is, going only by its name.

    `is_cut`: whether the end of the name may be missing.
    """
    name = program.lower().lstrip(".")  # NixOS: `.postgres-wrapped`
    known = [(title, name.removeprefix(start)) for start, title in _SERVERS.items() if name.startswith(start)]
    if (fork := _FORK.match(name)) is not None:
        known.append((_FORKS[fork[1]], name[fork.end() :]))
    return next((title for title, rest in known if _is_release(rest, is_cut=is_cut)), None)


def _is_release(rest: str, *, is_cut: bool) -> bool:
    """Whether the text after the name of a server names one of its releases."""
    *words, last = _SEPARATOR.split(rest)
    is_end = _is_word_of_release(last) or (is_cut and any(word.startswith(last) for word in _RELEASE))
    return is_end and all(map(_is_word_of_release, words))


def _is_word_of_release(word: str) -> bool:
    return not word or word.rstrip("0123456789") in _RELEASE or _VERSION.fullmatch(word) is not None


def is_postgresql(facts: ProcessFacts) -> bool:
    """Return whether a process is PostgreSQL, or one of its children."""
    return saving_server(facts) == _POSTGRESQL


def request_to_end(facts: ProcessFacts) -> signal.Signals:
    """Return the signal that asks a process to end.

    For PostgreSQL, INT is a fast shutdown; TERM would wait for every client to disconnect. No other server gets
    INT: a Redis that gets it in addition to TERM ends without saving.
    """
    return signal.SIGINT if is_postgresql(facts) else signal.SIGTERM


def last_resort(facts: ProcessFacts) -> signal.Signals | None:
    """Return the signal for a process of our own that does not end; None for one that may only be waited for.

    PostgreSQL exits at once on QUIT and loses nothing; KILL would leave its shared memory behind.
    """
    if is_postgresql(facts):
        return signal.SIGQUIT
    return None if saving_server(facts) else signal.SIGKILL
