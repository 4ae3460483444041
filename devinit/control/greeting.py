"""What a supervisor says about itself on every connection, and whether a command of this version can talk to it.

Two versions of devinit may meet in one project: one was upgraded while services ran, or two are installed. The
rules are in docs/adr/0023; a newer command replaces an older supervisor, and never the other way round.
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
"""The number of the wire.

It grows with every method, parameter or field that the other side has to know about, and when a devinit.toml gets
another meaning: an older supervisor would start other services from it than the command's own version does.
"""
OLDEST_SUPERVISOR = 1
"""The oldest wire of a supervisor that a command of this version can talk to."""
OLDEST_COMMAND = 1
"""The oldest wire of a command that a supervisor of this version can serve."""
FIRST_WIRE = 1
"""The wire of supervisors whose greeting has no number: it had a version, and neither root nor pid."""

UNKNOWN = "unknown"

_PARTS = 4
_DIGITS = 9


class Greeting:
    """One supervisor, as it introduced itself."""

    __slots__ = ("network", "oldest_command", "pid", "root", "version", "wire")

    def __init__(self, said: Json) -> None:
        """Read the parameters of `hello`. What is missing or of another kind is as in the first wire."""
        self.version = _text(said.get("version")) or UNKNOWN
        self.root = _text(said.get("root"))
        """The checkout that it serves, without links; empty in the first wire."""
        self.network = _text(said.get("network"))
        """The network namespace in which its services listen; empty where there are none, or it does not say."""
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
        """Whether it said which version it is: supervisors of every version do."""
        return self.version != UNKNOWN

    @property
    def is_older(self) -> bool:
        """Whether it is of an older devinit than this command; of two versions one at most is the older."""
        return (self.wire, in_order(self.version)) < (WIRE, in_order(__version__))

    @property
    def is_newer(self) -> bool:
        """Whether it is of a newer devinit than this command."""
        return (self.wire, in_order(self.version)) > (WIRE, in_order(__version__))

    @property
    def is_out_of_reach(self) -> bool:
        """Whether its services listen on the loopback addresses of another container or namespace than ours."""
        return self.network not in ("", network_namespace())

    def names(self) -> tuple[str, str]:
        """Return its version and ours, with the numbers of the wire where they differ."""
        theirs, ours = f"devinit {self.version}", f"devinit {__version__}"
        return (
            (f"{theirs} (wire {self.wire})", f"{ours} (wire {WIRE})") if self.wire != WIRE else (theirs, ours)
        )

    def beside_ours(self) -> str:
        """Say who is who, as the first part of a sentence."""
        theirs, ours = self.names()
        if theirs == ours:
            return f"the supervisor and this command are both {ours}"
        return f"the supervisor is {theirs}, this command is {ours}"


def greeting_of(root: str | Path) -> Json:
    """Return the parameters of `hello` of this process, which supervises a checkout."""
    return {
        "version": __version__,
        "wire": WIRE,
        "oldest_command": OLDEST_COMMAND,
        "root": in_text(os.path.realpath(root)),
        "pid": os.getpid(),
        "network": network_namespace(),
    }


def in_order(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by: their numbers; what comes before a release (`rc1`, `.dev3`) is less."""
    numbers: list[int] = []
    for part in version.partition("+")[0].split(".")[:_PARTS]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))][:_DIGITS]
        numbers += [int(digits)] if digits else []
        if digits != part:
            return (*_filled(numbers), 0)
    return (*_filled(numbers), 1)


def is_same_folder(one: str, other: str) -> bool:
    """Return whether a path, and one from a greeting, mean the same folder, mounted twice perhaps."""
    if in_text(os.path.realpath(one)) == other:
        return True
    try:
        return os.path.samestat(os.stat(one), os.stat(other))  # noqa: PTH116  as above
    except OSError:
        return False


def in_text(path: str) -> str:
    """Return a path as JSON can carry it: its bytes may be no text."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _filled(numbers: list[int]) -> list[int]:
    return (numbers + [0] * _PARTS)[:_PARTS]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
