"""The greeting of a supervisor on every connection, and whether a command of this version can talk to it.

Two versions of devinit may meet in one project, after an upgrade while services ran, or because two are installed.
The rules are in docs/adr/0023: a newer command replaces an older supervisor, never the other way round.
"""

from __future__ import annotations

import os

from devinit import __version__
from devinit.system.namespaces import network_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from devinit.control.wire import Json

HELLO = "hello"
"""The first message on every connection, from the supervisor."""
WIRE = 7
"""The version of the wire protocol.

It increases with every method, parameter or field that the other side has to know, and when the meaning of a
devinit.toml changes: an older supervisor would then start other services from it than the command's own version.
"""
OLDEST_SUPERVISOR = 1
"""The oldest wire of a supervisor that a command of this version supports."""
OLDEST_COMMAND = 1
"""The oldest wire of a command that a supervisor of this version supports."""
FIRST_WIRE = 1
"""The wire of supervisors whose greeting has no number: it had a version, but neither root nor pid."""

UNKNOWN = "unknown"

_PARTS = 4
_DIGITS = 9


class Greeting:
    """The identity of a supervisor, according to its greeting."""

    __slots__ = ("network", "oldest_command", "pid", "root", "version", "wire")

    def __init__(self, said: Json) -> None:
        """Parse the parameters of `hello`. Missing or invalid values are those of the first wire."""
        self.version = _text(said.get("version")) or UNKNOWN
        self.root = _text(said.get("root"))
        """The checkout that it serves, without links; empty in the first wire."""
        self.network = _text(said.get("network"))
        """The network namespace in which its services listen; empty without namespaces, or if unknown."""
        self.pid = _number(said.get("pid"), 0)
        self.wire = _number(said.get("wire"), FIRST_WIRE)
        self.oldest_command = _number(said.get("oldest_command"), FIRST_WIRE)
        """The oldest wire of a command that it serves."""

    @property
    def is_understood(self) -> bool:
        """Whether a command of this version can talk to it."""
        return self.wire >= OLDEST_SUPERVISOR and self.oldest_command <= WIRE

    @property
    def is_introduced(self) -> bool:
        """Whether it stated its version, as supervisors of every version do."""
        return self.version != UNKNOWN

    @property
    def is_older(self) -> bool:
        """Whether its devinit is older than that of this command; of two versions, at most one is older."""
        return (self.wire, in_order(self.version)) < (WIRE, in_order(__version__))

    @property
    def is_newer(self) -> bool:
        """Whether its devinit is newer than that of this command."""
        return (self.wire, in_order(self.version)) > (WIRE, in_order(__version__))

    @property
    def is_out_of_reach(self) -> bool:
        """Whether its services listen on the loopback addresses of another container or namespace."""
        return self.network not in ("", network_namespace())

    def names(self) -> tuple[str, str]:
        """Return its version and ours, with the numbers of the wire if they differ."""
        theirs, ours = f"devinit {self.version}", f"devinit {__version__}"
        return (
            (f"{theirs} (wire {self.wire})", f"{ours} (wire {WIRE})") if self.wire != WIRE else (theirs, ours)
        )

    def beside_ours(self) -> str:
        """Return both versions in words, as the first part of a sentence."""
        theirs, ours = self.names()
        if theirs == ours:
            return f"the supervisor and this command are both {ours}"
        return f"the supervisor is {theirs}, this command is {ours}"


def greeting_of(root: str | Path) -> Json:
    """Return the parameters of `hello` for this process, which supervises a checkout."""
    return {
        "version": __version__,
        "wire": WIRE,
        "oldest_command": OLDEST_COMMAND,
        "root": in_text(os.path.realpath(root)),
        "pid": os.getpid(),
        "network": network_namespace(),
    }


def in_order(version: str) -> tuple[int, ...]:
    """Return the sort key of a version: its numbers; a pre-release (`rc1`, `.dev3`) sorts lower."""
    numbers: list[int] = []
    for part in version.partition("+")[0].split(".")[:_PARTS]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))][:_DIGITS]
        numbers += [int(digits)] if digits else []
        if digits != part:
            return (*_filled(numbers), 0)
    return (*_filled(numbers), 1)


def is_same_folder(one: str, other: str) -> bool:
    """Return whether a path, and one from a greeting, are the same folder, which may be mounted twice."""
    if in_text(os.path.realpath(one)) == other:
        return True
    try:
        return os.path.samestat(os.stat(one), os.stat(other))  # noqa: PTH116  as above
    except OSError:
        return False


def in_text(path: str) -> str:
    """Return a path in a form for JSON; its bytes may be no valid text."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _filled(numbers: list[int]) -> list[int]:
    return (numbers + [0] * _PARTS)[:_PARTS]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
