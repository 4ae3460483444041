"""The record of an earlier version, in `.devinit`, which counts only for processes that are proven.

A repository can contain such a file, and `git pull` can replace it in a checkout that devinit knows. So
its statements alone prove nothing: a service counts only if its process is ours and carries the
service's mark, or keeps a lease of the service. Services without such a process are dropped, and no
process is started or ended for them.
"""

from __future__ import annotations

import json
import os

from devinit.errors import StateFileError
from devinit.model.names import service_of
from devinit.model.process import ProcessIdentity
from devinit.system.file_lock import is_locked
from devinit.system.files import read_bytes
from devinit.system.open_files import has_open
from devinit.system.paths import marked_service, state_path
from devinit.system.processes import RUN_VARIABLE, alive, runs_as_us, variable_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNREADABLE = (StateFileError, ValueError, LookupError, TypeError, AttributeError)


def proven(path: str, root: str) -> bytes | None:
    """Return a record with only the services whose process is proven; None if there is none."""
    try:
        state = json.loads(read_bytes(path) or b"{}")
        services = {
            name: each
            for name, each in state["services"].items()
            if (identity := _identity_of(each)) is not None and _is_proven(identity, name, root)
        }
    except (*_UNREADABLE, RecursionError):
        return None
    return json.dumps({**state, "services": services}).encode() if services else None


def names_what_runs(path: str) -> bool:
    """Whether a recorded process runs. The record lies where no repository can put a file."""
    try:
        services = json.loads(read_bytes(path) or b"{}")["services"].values()
        identities = [identity for each in services if (identity := _identity_of(each)) is not None]
        return any(map(alive, identities))
    except (*_UNREADABLE, RecursionError):
        return False


def _identity_of(service: dict[str, Any]) -> ProcessIdentity | None:  # Any: JSON that was not checked yet
    identity = service.get("identity")
    if identity is None:
        return None
    pid, start_time, boot_id = identity["pid"], identity["start_time"], identity["boot_id"]
    # devinit writes no numbers as text or with a fraction; 1 is init, which is no service.
    if type(pid) is not int or type(start_time) is not int or pid <= 1:
        return None
    return ProcessIdentity(pid, start_time, str(boot_id))


def _is_proven(identity: ProcessIdentity, service: str, root: str) -> bool:
    if not alive(identity):
        return False
    mark = variable_of(identity.pid, RUN_VARIABLE) or ""
    is_marked = runs_as_us(identity.pid) and marked_service(mark, root) == service
    # Redis and Ruby overwrite the mark with their title; a server of root runs as another user.
    return is_marked or _keeps_lease(identity.pid, service, root)


def _keeps_lease(pid: int, service: str, root: str) -> bool:
    folder = os.path.join(state_path(), "leases")
    try:
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        return False
    return any(_is_lease_of(path, service, root) and has_open(pid, path) for path in paths)


def _is_lease_of(path: str, service: str, root: str) -> bool:
    try:
        record = json.loads(read_bytes(path) or b"{}")
        is_its = record["root"] == os.fsencode(root).decode(errors="replace")  # `ports.leases.root_name`
        if record.get("by_program"):
            return False  # no proof: one of the user's programs has leased it for itself
        # An extra port of a service is leased as `SERVICE.NAME`.
        return is_its and service_of(record["service"]) == service and is_locked(path)
    except (*_UNREADABLE, RecursionError):
        return False
