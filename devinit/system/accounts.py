"""Which other people may log in to this machine: they reach what listens on it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import PurePosixPath

FIRST_PERSON = 1000
"""Below are the system's own accounts (login.defs: UID_MIN)."""
NOBODY = 65534
"""The overflow account, and from there on what systemd and containers make up."""
MOST_NAMED = 3
NO_SHELLS = frozenset({"nologin", "false", "true", "sync", "halt", "shutdown"})


def other_people() -> tuple[str, ...]:
    """Return the names of the other people who have an account on this machine."""
    return people(pwd.getpwall(), os.geteuid())


def open_to(others: tuple[str, ...]) -> str:
    """Say who can read and change what is in a server without a password. Pure."""
    shown = ", ".join(others[:MOST_NAMED]) + (" …" if len(others) > MOST_NAMED else "")
    return f"has no password, and other people have accounts on this machine ({shown})"


def people(entries: Iterable[pwd.struct_passwd], uid: int) -> tuple[str, ...]:
    """Return the accounts of people beside the user `uid`: those with a shell and a number for people. Pure."""
    return tuple(
        dict.fromkeys(
            entry.pw_name
            for entry in entries
            if FIRST_PERSON <= entry.pw_uid < NOBODY
            and entry.pw_uid != uid
            and PurePosixPath(entry.pw_shell).name not in NO_SHELLS
        )
    )
