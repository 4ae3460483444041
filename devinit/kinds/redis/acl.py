"""The password of a Redis, passed in an ACL file because every user of the machine can read arguments.

The file contains a hash. It is in the server's own format, so users that `ACL SAVE` wrote into it stay.
"""

from __future__ import annotations

from pathlib import Path

from devinit.errors import ProviderError
from devinit.kinds.programs import Program
from devinit.system.files import read_text, write_atomically

OLDEST_MAJOR = 6
CHANNELS_SINCE = (6, 2)
"""Before this version, a user may use every channel, and `&*` is a syntax error."""
DEFAULT_USER = "user default "


def write(path: Path, password: str, program: Program) -> None:
    """Write this password into the file. Raise ProviderError for a server without ACLs."""
    if program.flavour == "redis" and program.major < OLDEST_MAJOR:
        raise ProviderError(
            f"{program.title} cannot keep a password in a file of its own",
            hint=f"use Redis {OLDEST_MAJOR} or later, or remove `password` from the service",
        )
    before = read_text(path) or ""
    wanted = with_password(before, password, channels=version_of(program) >= CHANNELS_SINCE)
    if wanted != before:
        write_atomically(path, wanted, mode=0o600)


def with_password(before: str, password: str, *, channels: bool) -> str:
    """Return an ACL file in which the default user has only this password; other users stay."""
    from hashlib import sha256  # only a server with a password needs it

    others = [line for line in before.splitlines() if line.strip() and not line.startswith(DEFAULT_USER)]
    digest = sha256(password.encode()).hexdigest()
    rules = f"on #{digest} ~* {'&* ' if channels else ''}+@all"
    return "".join(f"{line}\n" for line in (f"{DEFAULT_USER}{rules}", *others))


def version_of(program: Program) -> tuple[int, int]:
    """Return major and minor version."""
    minor = program.version.split(".")[1:2]
    return program.major, int(minor[0]) if minor and minor[0].isdecimal() else 0
