"""The user that runs PostgreSQL: it refuses root, and in many containers devinit runs as root.

As root, in this order:

1. An existing cluster runs as its owner. The files themselves record the choice that was made at their creation,
   so every start makes the same choice.
2. A user namespace in which root is called `nobody`. This works with data and programs in folders that only root
   may enter (the state directory is 0700, a virtual environment often lies below /root), and all files stay
   root's.
   The process can still read what root can read, like every other service that root starts here.
3. Where namespaces are forbidden (Docker's default seccomp profile), or the checkout lies in another user's
   folder that root enters only by privilege: a real change of user. That user may not enter the state directory,
   so the data then lies in /var/lib/devinit.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from shlex import quote

from msgspec import Struct

from devinit.errors import ProviderError
from devinit.kinds.programs import Program
from devinit.model.process import RunAs
from devinit.system.processes import user_name

USERS = ("postgres", "nobody")
UNSHARE = ("/usr/bin/unshare", "/bin/unshare")
NAMESPACE_USER = "nobody"
PROBE_TIMEOUT_SECONDS = 20.0


class Account(Struct, frozen=True, kw_only=True):
    """The way in which a PostgreSQL program runs without seeing itself as root."""

    prefix: tuple[str, ...] = ()
    """Words before the program; they end in an exec, so the pid is the program's."""
    run_as: RunAs | None = None


def account_for(cluster: Path) -> Account:
    """Return the account for an existing cluster: always the one that created it."""
    owner = cluster.stat()
    mine = os.geteuid()
    if owner.st_uid == mine:
        account = own_account()
        if account is None:
            raise ProviderError(
                "PostgreSQL refuses to run as root, and without unshare (util-linux) it cannot be told otherwise",
                hint="start devinit as an ordinary user, or install util-linux",
            )
        return account
    if mine == 0:
        return Account(run_as=RunAs(owner.st_uid, owner.st_gid))
    whose, who = user_name(owner.st_uid), user_name(mine)
    raise ProviderError(
        f"{cluster} belongs to {whose}, not to {who}",
        hint=f"start as {whose}, or take it over: sudo chown -R {who} {quote(str(cluster))}",
    )


def own_account() -> Account | None:
    """Return the account that runs programs with files of our own user; None if root has no way to do so."""
    if os.geteuid() != 0:
        return Account()
    unshare = next((path for path in UNSHARE if os.access(path, os.X_OK)), None)
    nobody = _user(NAMESPACE_USER)
    if unshare is None or nobody is None:
        return None
    # initdb looks its user up, so the uid must have a name.
    names = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    return Account(prefix=(unshare, "--user", *names))


def other_users() -> list[Account]:
    """Return the accounts of other users that root may try."""
    entries = filter(None, map(_user, USERS))
    return [Account(run_as=RunAs(entry.pw_uid, entry.pw_gid)) for entry in entries]


def works(account: Account, program: Program, folder: Path) -> bool:
    """Return whether the account can execute the program and enter this folder."""
    try:
        said = run(
            account,
            ("/bin/sh", "-c", 'cd "$1" && exec "$2" --version', "sh", str(folder), str(program.path)),
            environment=dict(os.environ),
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return said.returncode == 0


def run(
    account: Account,
    argv: tuple[str, ...],
    *,
    environment: dict[str, str],
    timeout: float = PROBE_TIMEOUT_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as this account; return its result."""
    user = account.run_as
    return subprocess.run(
        (*account.prefix, *argv),
        env=environment,
        # Our own working directory may be a folder that the other user cannot enter.
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else (),
        # A Ctrl-C at the terminal must not interrupt an initdb.
        start_new_session=True,
    )


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
