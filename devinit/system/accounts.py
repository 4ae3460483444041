"""The other people who may log in to this machine, and so can reach its listening servers."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import PurePosixPath

FIRST_PERSON = 1000
"""Lower numbers belong to system accounts (login.defs: UID_MIN)."""
NOBODY = 65534
"""The overflow account; systemd and containers use it and the numbers above it."""
MOST_NAMED = 3
NO_SHELLS = frozenset({"nologin", "false", "true", "sync", "halt", "shutdown"})


def other_people() -> tuple[str, ...]:
    """Return the names of the other people who have an account on this machine."""
    return people(pwd.getpwall(), os.geteuid())


def open_to(others: tuple[str, ...]) -> str:
    """Return a warning that others can read and change the data of a server without a password. Pure."""
    shown = ", ".join(others[:MOST_NAMED]) + (" …" if len(others) > MOST_NAMED else "")
    return f"has no password, and other people have accounts on this machine ({shown})"


def people(entries: Iterable[pwd.struct_passwd], uid: int) -> tuple[str, ...]:
    """Return the accounts of people other than `uid`: those with a login shell and a number for people. Pure."""
    return tuple(
        dict.fromkeys(
            entry.pw_name
            for entry in entries
            if FIRST_PERSON <= entry.pw_uid < NOBODY
            and entry.pw_uid != uid
            and PurePosixPath(entry.pw_shell).name not in NO_SHELLS
        )
    )
