"""Ports for a program that devinit does not start: found and leased as those of services are.

No other project's service is given such a port while the program runs, and the program finds it again at its next
start. All of it is given back when the program ends, whatever ends it.
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
    """The process that leased it, which alone keeps the discovery file and gives the port back; no fork does."""


_leased: dict[tuple[str, str], Leased] = {}
"""The ports of this process, by checkout and service."""
_guard = threading.Lock()
_keeper: list[int] = []
"""The process that keeps the discovery files true; a fork of it does not."""


def port(
    service: str = "backend",
    preferred: int = 8000,
    *,
    range: Limits | None = None,  # noqa: A002  the word that devinit.toml has for it
    start: str | os.PathLike[str] | None = None,
    announce: bool = True,
) -> int:
    """Return a port for this process, to listen on at once.

    These are tried in turn: `PORT`, `<SERVICE>_PORT` (for `backend` also `API_PORT`), the port of the last time
    (`.ports.json`), `preferred`, the rest of `range` (a Python range, or the first and last port; 100 ports from
    `preferred` on without it), and any other one. A port that a process, a project or an application in PM2 has is
    passed over. A program that devinit starts as this very service is given the port that devinit chose.

    The project is the one that `start` lies in (the current folder without it), else the git repository. While
    the process lives, `.SERVICE-port.json` says where it answers, and with `announce` a `port_info` line of JSON
    is printed. Asked again, the same process is given the same port.

    Raise PortsExhausted, StateFileError where leases cannot be kept, and ValueError for a wrong argument.
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

    None of them is given a port that another one of them prefers. A name alone prefers the port above those that
    stand before it. `PORT` is for one server: it counts for a group of one.
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
    """Return the same as `port`, under its longer name."""
    return port(service, preferred, range=limits, start=start, announce=announce)


def lease_ports(
    preferred: Mapping[str, int], *, start: str | os.PathLike[str] | None = None, announce: bool = True
) -> dict[str, int]:
    """Return the same as `ports`, under its longer name."""
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
    """Return the port that this process has already, or was given by devinit as this very service."""
    if (leased := _leased.get((str(root), service))) is not None:
        return leased.grant.port  # also in a fork, which shares the lease
    if _service_of_devinit(root) != service:
        return None
    text = os.environ.get("PORT") or os.environ.get(port_variable(service), "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return int(text) if is_number else None


def _service_of_devinit(root: Path) -> str | None:
    """Return as which service of this checkout devinit has started this program, or one around it."""
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
        # The program binds next, perhaps without SO_REUSEADDR; the lease stays.
        each.release_hold()
        usual = root / DISCOVERY.get(each.service, f".{each.service}-port.json")
        # Another process is this service already: the usual file speaks of that one.
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
    """Return the project that a folder is in, else its git repository, else the folder."""
    if folder.is_file():
        folder = folder.parent
    if (project := find_root_as_text(str(folder))) is not None:
        return Path(project)
    top = search_of(folder)[0][-1]
    return Path(top) if is_repository(top) else folder


def _remember(root: Path, grants: Mapping[str, Grant]) -> None:
    """Write the ports down that are not those preferred, or not those of the last time."""
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
    """Print the line by which a parent process, such as Tauri's, learns the port."""
    document = {
        "type": "port_info",
        "mode": "preferred" if granted.port == granted.granted.preferred else "moved",
        "service": granted.service,
        "port": granted.port,
        "url": f"http://localhost:{granted.port}",
    }
    terminal.write(sys.stdout, [encode(document)])


def _publish() -> None:
    """Write each discovery file, which says that the port is in use as of now."""
    now = time.time()
    for key, leased in [*_leased.items()]:
        if leased.process_id != os.getpid():
            continue
        service, port = key[1], leased.grant.port
        endpoint = Endpoint(service=service, host="127.0.0.1", port=port, url=f"http://localhost:{port}")
        try:
            path = leased.discovery
            if speaks_of_another(path, os.getpid(), now):
                # devinit has started a service of that name since: the usual file speaks of it.
                path = for_process(path, os.getpid())
                _leased[key] = leased._replace(discovery=path)
            write_discovery(leased.root, path, endpoint, process_id=os.getpid(), now=now)
        except (DevinitError, OSError):
            continue  # a full disk, a file of the user's: the port is ours all the same


def _keep() -> None:
    pause = threading.Event()
    while not pause.wait(DISCOVERY_REFRESH_SECONDS):
        with _guard:
            _publish()


def _give_back(process_id: int) -> None:
    """Give every port back, unless this is a fork of the process that has them."""
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
    """Have a lock of our own in a fork: a thread of the parent may have held the inherited one."""
    global _guard  # noqa: PLW0603 - a lock cannot be taken away from a thread that is not there
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_renew_guard)


def _say(text: str) -> None:
    terminal.write(sys.stderr, [f"devinit: {text}"])
