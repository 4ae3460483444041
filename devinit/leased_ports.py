"""Ports for programs that devinit does not start: chosen and leased like the ports of services.

No service of another project gets such a port while the program runs, and the program gets the same port at its
next start. The port is released when the program ends, however it ends.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from devinit.asked_ports import Limits, Member, asked, asked_together, other_variables
from devinit.config.find import find_root_as_text
from devinit.control.wire import encode
from devinit.errors import DevinitError
from devinit.model.defaults import DISCOVERY, DISCOVERY_REFRESH_SECONDS, project_name
from devinit.model.names import port_variable
from devinit.model.port import ConflictPolicy, PortRequest
from devinit.model.service import Endpoint
from devinit.notify.discovery.file import (
    for_process,
    remove_discovery,
    speaks_of_another,
    write_discovery,
)
from devinit.ports.granting.grants import Grant, grant
from devinit.ports.leases import LeaseStore, root_name
from devinit.ports.remembered import ports_file
from devinit.system import terminal
from devinit.system.paths import marked_service, state_directory
from devinit.system.repository import is_repository, search_of
from devinit.system.tree import RUN_VARIABLE

LONGEST_NUMBER = 5


class Leased(NamedTuple):
    """A port of this process."""

    grant: Grant
    root: Path
    discovery: Path
    """Its discovery file."""
    process_id: int
    """The process that leased the port. Only this one updates the discovery file and releases the port."""


_leased: dict[tuple[str, str], Leased] = {}
"""The ports of this process, by checkout and service."""
_guard = threading.Lock()
_keeper: list[int] = []
"""The process that refreshes the discovery files, as a list of at most one pid; a fork does not."""


def port(
    service: str = "backend",
    preferred: int = 8000,
    *,
    range: Limits | None = None,  # noqa: A002  the word that devinit.toml has for it
    start: str | os.PathLike[str] | None = None,
    announce: bool = True,
) -> int:
    """Return a port for this process, which should listen on it at once.

    These are tried in turn: `PORT`, `<SERVICE>_PORT` (for `backend` also `API_PORT`), the port of the last run
    (`.ports.json`), `preferred`, the rest of `range` (a Python range, or the first and last port; by default 100
    ports from `preferred` on), and then any other port. A port that belongs to a process, a project or a PM2
    application is skipped. A program that devinit starts as this very service gets the port that devinit chose.

    The project is the one that contains `start` (by default the current folder), otherwise the git repository.
    While the process lives, `.SERVICE-port.json` holds its address. With `announce`, a `port_info` line of JSON
    is printed. Further calls in the same process return the same port.

    Raise PortsExhausted, StateFileError when leases cannot be stored, and ValueError for a wrong argument.
    """
    return _lease([asked(service, preferred, range)], start, announce=announce)[service]


def ports(
    group: Mapping[str, int] | Iterable[Member],
    *,
    start: str | os.PathLike[str] | None = None,
    announce: bool = True,
) -> dict[str, int]:
    """Return a port for each of several servers of this process, by name; see `port`.

        devinit.ports([("api", 8000), ("admin", 8001, range(8001, 8020)), "metrics"])
        devinit.ports({"api": 8000, "admin": 8001})

    No server gets a port that another one of the group prefers. A name without a port prefers the port above
    those before it. `PORT` is meant for one server, so it counts only for a group of one.
    """
    return _lease(asked_together(group), start, announce=announce)


def lease_port(
    service: str = "backend",
    preferred: int = 8000,
    *,
    limits: tuple[int, int] | None = None,
    start: str | os.PathLike[str] | None = None,
    announce: bool = True,
) -> int:
    """Return a port; the longer name of `port`."""
    return port(service, preferred, range=limits, start=start, announce=announce)


def lease_ports(
    preferred: Mapping[str, int], *, start: str | os.PathLike[str] | None = None, announce: bool = True
) -> dict[str, int]:
    """Return ports by name; the longer name of `ports`."""
    return ports(preferred, start=start, announce=announce)


def _lease(
    requests: list[PortRequest], start: str | os.PathLike[str] | None, *, announce: bool
) -> dict[str, int]:
    root = _root_of(Path(start or ".").absolute())
    with _guard:
        given = {each.service: own for each in requests if (own := _own_port(root, each.service)) is not None}
        for granted in _granted(root, [each for each in requests if each.service not in given]):
            given[granted.service] = granted.port
            if announce:
                _announce(granted)
    return {each.service: given[each.service] for each in requests}


def _own_port(root: Path, service: str) -> int | None:
    """Return the port that this process already has, or that devinit gave it as this very service."""
    if (leased := _leased.get((str(root), service))) is not None:
        return leased.grant.port  # also in a fork, which shares the lease
    if _service_of_devinit(root) != service:
        return None
    text = os.environ.get("PORT") or os.environ.get(port_variable(service), "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return int(text) if is_number else None


def _service_of_devinit(root: Path) -> str | None:
    """Return the service of this checkout as which devinit started this program or a parent of it."""
    return marked_service(os.environ.get(RUN_VARIABLE, ""), root)


def _granted(root: Path, requests: list[PortRequest]) -> list[Grant]:
    if not requests:
        return []
    store = LeaseStore(state_directory() / "leases")
    names = [each.service for each in requests]
    others = {owner.service for _, owner, live in store.owners() if live and owner.root == root_name(root)}
    environment = dict(os.environ)
    if len(requests) == 1 and _service_of_devinit(root) is None and "PORT" in environment:
        environment[port_variable(names[0])] = environment["PORT"]
    grants = grant(
        requests,
        root=root,
        project=project_name(root),
        environ=environment,
        aliases=other_variables(requests),
        remembered=ports_file.read(root, names),
        policy=ConflictPolicy.MOVE,
        store=store,
        by_program=True,
        say=_say,
    )
    for each in grants:
        # The program binds the port next, perhaps without SO_REUSEADDR. The lease stays.
        each.release_hold()
        usual = root / DISCOVERY.get(each.service, f".{each.service}-port.json")
        # Another process already runs as this service: the usual file describes that one.
        discovery = for_process(usual, os.getpid()) if each.service in others else usual
        _leased[str(root), each.service] = Leased(each, root, discovery, os.getpid())
    _remember(root, {each.service: each for each in grants if each.service not in others})
    if not _keeper or _keeper[0] != os.getpid():
        _keeper[:] = [os.getpid()]
        atexit.register(_give_back, os.getpid())
        threading.Thread(target=_keep, name="devinit discovery", daemon=True).start()
    _publish()
    return grants


def _root_of(folder: Path) -> Path:
    """Return the project that contains a folder, otherwise its git repository, otherwise the folder."""
    if folder.is_file():
        folder = folder.parent
    if (project := find_root_as_text(str(folder))) is not None:
        return Path(project)
    top = search_of(folder)[0][-1]
    return Path(top) if is_repository(top) else folder


def _remember(root: Path, grants: Mapping[str, Grant]) -> None:
    """Store the ports that differ from those of the last run, or else from the preferred ones."""
    known = ports_file.read(root, grants)
    ports = {
        name: each.port
        for name, each in grants.items()
        if each.port != known.get(name, each.granted.preferred)
    }
    if not ports:
        return
    try:
        ports_file.write(root, ports)
    except DevinitError as error:
        _say(f"{error.message}: the port is not remembered")


def _announce(granted: Grant) -> None:
    """Print the line that tells a parent process, such as Tauri's, the port."""
    document = {
        "type": "port_info",
        "mode": "preferred" if granted.port == granted.granted.preferred else "moved",
        "service": granted.service,
        "port": granted.port,
        "url": f"http://localhost:{granted.port}",
    }
    terminal.write(sys.stdout, [encode(document)])


def _publish() -> None:
    """Write each discovery file, with the current time as its heartbeat."""
    now = time.time()
    for key, leased in [*_leased.items()]:
        if leased.process_id != os.getpid():
            continue
        service, port = key[1], leased.grant.port
        endpoint = Endpoint(service=service, host="127.0.0.1", port=port, url=f"http://localhost:{port}")
        try:
            path = leased.discovery
            if speaks_of_another(path, os.getpid(), now):
                # devinit has started a service of that name since: the usual file describes that service.
                path = for_process(path, os.getpid())
                _leased[key] = leased._replace(discovery=path)
            write_discovery(leased.root, path, endpoint, process_id=os.getpid(), now=now)
        except (DevinitError, OSError):
            continue  # a full disk, or a file of the user's: the port is still ours


def _keep() -> None:
    pause = threading.Event()
    while not pause.wait(DISCOVERY_REFRESH_SECONDS):
        with _guard:
            _publish()


def _give_back(process_id: int) -> None:
    """Release every port of this process; a fork of it releases none."""
    if os.getpid() != process_id:
        return
    with _guard:
        for leased in _leased.values():
            if leased.process_id != process_id:
                continue
            port = leased.grant.port
            remove_discovery(leased.root, leased.discovery, port=port, process_id=process_id)
            leased.grant.close(keep_reservation=False)
        _leased.clear()


def _renew_guard() -> None:
    """Create a new lock in a fork: a thread of the parent may have held the inherited one."""
    global _guard  # noqa: PLW0603 - a thread that does not exist in the fork cannot release the lock
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_renew_guard)


def _say(text: str) -> None:
    terminal.write(sys.stderr, [f"devinit: {text}"])
