"""All projects of this machine, and all ports of these projects, for `status --all` and `ports --all`.

The data comes from the records (`checkouts`), from the supervisors that answer, and from the leases. The leases
also show services without a supervisor, and those in a folder that no longer exists.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping

from msgspec import Struct

from devinit.config.slots import slot_of
from devinit.control import checkouts
from devinit.control.checkouts import Checkout
from devinit.control.gateway import FOLDER as GATEWAY
from devinit.control.spawning import pointed
from devinit.control.survey import Json, ask_all
from devinit.control.waking import ELSEWHERE, visible_supervisor_of, wake
from devinit.model.neighbour import NeighbourService, NeighbourState, NeighbourStatus, PortRow
from devinit.model.pages import has_pages
from devinit.model.port import LeaseOwner
from devinit.model.status import Phase
from devinit.ports.holder.pm2 import Application, applications
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import socket_address, state_directory
from devinit.system.worktrees import worktree_of

PATIENCE_SECONDS = 3.0
"""How long all supervisors together may take to answer."""
WAKING_SECONDS = 1.0
"""How long supervisors whose sockets had vanished may take to listen again."""
_LOOK_SECONDS = 0.02


class Leased(Struct, frozen=True):
    """A port of a project."""

    port: int
    owner: LeaseOwner
    live: bool
    kept: bool = False
    """Whether the port is reserved while the project is stopped."""

    @property
    def is_run_by_devinit(self) -> bool:
        """Whether a service that devinit has started holds the lease, not a program that took it for itself."""
        return self.live and not self.owner.by_program


class Folder(Struct, frozen=True, kw_only=True):
    """The facts about one checkout from which its state is derived."""

    root: str
    exists: bool
    checkout: Checkout | None = None
    """Its record."""
    answer: Json | None = None
    """The answer of its supervisor."""
    supervisor: int | None = None
    """The pid of a supervisor that exists but does not answer; 0 if its process is invisible from here."""
    apart: str | None = None
    """The two versions that do not understand each other, if its supervisor is of another devinit."""
    leases: tuple[Leased, ...] = ()
    elsewhere: bool = False
    """Whether the process with its port leases is invisible from here."""


def neighbours() -> list[NeighbourStatus]:
    """Return all projects, running ones first; records of deleted projects without processes are dropped."""
    store = LeaseStore(state_directory() / "leases")
    store.forget_vanished()
    gateway = root_name(state_directory() / GATEWAY)
    leases: dict[str, list[Leased]] = {}
    for port, owner, live, kept in store.entries():
        if owner.root == gateway:
            continue  # no project, although it has a port
        leases.setdefault(owner.root, []).append(Leased(port, owner, live, kept))
    written = {root_name(each.root): each for each in checkouts.recorded()}
    roots = {name: each.root for name, each in written.items()} | {
        name: name for name in leases if name not in written
    }
    answers = _answers(roots, written)
    found = []
    for name, root in roots.items():
        apart = answers.get(name, {}).get("apart")
        leased = [each.owner.service for each in leases.get(name, ()) if each.is_run_by_devinit]
        folder = Folder(
            root=root,
            exists=os.path.isdir(root),  # noqa: PTH112  paths are text here
            checkout=written.get(name),
            answer=None if apart else answers.get(name),
            apart=apart,
            supervisor=visible_supervisor_of(root) if answers.get(name) is None else None,
            leases=tuple(leases.get(name, ())),
            elsewhere=name not in answers and any(not store.keepers(name, service) for service in leased),
        )
        if not folder.exists and state_of(folder) is NeighbourState.STOPPED:
            checkouts.forget(root)
        else:
            found.append(described(folder))
    return sorted(
        found, key=lambda each: (each["state"] == NeighbourState.STOPPED, each["project"], each["root"])
    )


def state_of(folder: Folder) -> NeighbourState:
    """Return the state of a project as a whole."""
    runs = any(lease.is_run_by_devinit for lease in folder.leases)
    if folder.answer is not None:
        runs = any(service["phase"] != Phase.STOPPED for service in folder.answer["services"])
    if not folder.exists:
        return NeighbourState.GONE if runs or folder.supervisor is not None else NeighbourState.STOPPED
    if folder.supervisor is not None or folder.apart is not None:
        return NeighbourState.UNREACHABLE
    if folder.answer is None and runs:
        return NeighbourState.ORPHANED
    return NeighbourState.RUNNING if runs else NeighbourState.STOPPED


def described(folder: Folder) -> NeighbourStatus:
    """Return a project in the format of the wire."""
    worktree = worktree_of(folder.root) if folder.exists else None
    state = state_of(folder)
    project = (
        folder.answer["project"] if folder.answer else folder.checkout.project if folder.checkout else ""
    )
    return {
        "project": project or next((each.owner.project for each in folder.leases), ""),
        "root": folder.root,
        "state": state.value,
        "worktree": worktree.top if worktree else None,
        "branch": worktree.branch if worktree else None,
        "slot": slot_of(folder.root) if worktree and worktree.linked else 0,
        "supervisor": folder.answer["supervisor"] if folder.answer else None,
        "started_at": folder.checkout.started_at if folder.checkout else None,
        "services": services_of(folder, state),
        "advice": advice_about(folder, state),
    }


def services_of(folder: Folder, state: NeighbourState) -> list[NeighbourService]:
    """Return a supervisor's information about its services, or else what their leases show."""
    if folder.answer is not None and state is not NeighbourState.STOPPED:
        return [
            {
                "name": service["name"],
                "phase": service["phase"],
                "port": service["port"],
                # The URL of a database contains its password.
                "url": service["url"] if has_pages(service) else None,
                "reserved": False,
                "program": False,
            }
            for service in folder.answer["services"]
        ]
    unknown = Phase.ORPHANED.value if folder.supervisor is None and folder.apart is None else None
    return [
        {
            "name": each.owner.service,
            "phase": unknown if each.is_run_by_devinit else Phase.STOPPED.value,
            "port": each.port,
            "url": None,
            "reserved": each.kept and not each.live,
            "program": each.live and each.owner.by_program,
        }
        for each in folder.leases
    ]


def advice_about(folder: Folder, state: NeighbourState) -> str | None:
    """Return advice about a faulty state."""
    there = f"devinit -C {shlex.quote(folder.root)}"
    match state:
        case NeighbourState.GONE:
            return f"its folder was deleted: `{there} stop` ends what still runs"
        case NeighbourState.ORPHANED if folder.elsewhere:
            return f"it {ELSEWHERE}: `{there} stop` there ends it"
        case NeighbourState.ORPHANED:
            return f"its supervisor was killed: `{there} start` looks after it again, `{there} stop` ends it"
        case NeighbourState.UNREACHABLE if folder.apart:
            return f"{folder.apart}: use that version there, or stop its services with it"
        case NeighbourState.UNREACHABLE:
            if not (pid := folder.supervisor):
                return f"its supervisor {ELSEWHERE}: run the command there"
            return (
                f"its supervisor (pid {pid}) does not answer: `kill -CONT {pid}` lets a stopped one go on, "
                f"`kill -9 {pid}` ends it; services keep running, and the next command takes them over"
            )
    return None


def port_rows() -> list[PortRow]:
    """Return the ports that projects have or last had, and those assigned in PM2; sorted by port."""
    store = LeaseStore(state_directory() / "leases")
    store.forget_vanished()
    entries = store.entries()
    worktrees = {root: worktree_of(root) for root in {each.owner.root for each in entries}}
    rows: list[PortRow] = []
    for port, owner, live, kept in entries:
        worktree = worktrees[owner.root]
        rows.append(
            {
                "port": port,
                "service": owner.service,
                "project": owner.project,
                "root": owner.root,
                "state": "leased"
                if live or _is_published(owner, port)
                else "reserved"
                if kept
                else "stopped",
                "worktree": worktree.top if worktree else None,
                "branch": worktree.branch if worktree else None,
            }
        )
    rows += [_assigned_row(each) for each in applications(os.environ).values()]
    return sorted(rows, key=lambda row: row["port"])


def _is_published(owner: LeaseOwner, port: int) -> bool:
    """Whether a container of compose has a port, which keeps no lease by itself."""
    return owner.by_program and bool(tcp_listeners(port))


def _assigned_row(application: Application) -> PortRow:
    """Return the port of a PM2 application, running or stopped."""
    return {
        "port": application.port,
        "service": application.name,
        "project": "PM2",
        "root": application.directory,
        "state": "assigned",
        "worktree": None,
        "branch": None,
    }


def _sockets(root: str, checkout: Checkout | None) -> list[str]:
    """Return the possible addresses of a folder's supervisor, which may have another runtime directory."""
    places = [socket_address(root), pointed(root), checkout.socket if checkout else ""]
    return [place for place in dict.fromkeys(places) if place]


def _answers(roots: Mapping[str, str], written: Mapping[str, Checkout]) -> dict[str, Json]:
    """Ask all supervisors at once; those that have lost their sockets are asked as soon as they listen again."""
    answers, silent = _ask(roots, written)
    woken = {name: root for name, root in roots.items() if name not in silent | answers.keys() and wake(root)}
    deadline = time.monotonic() + WAKING_SECONDS
    while woken and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)  # a socket that appears wakes no process
        more, silent = _ask(woken, written)
        answers |= more
        woken = {name: root for name, root in woken.items() if name not in silent | more.keys()}
    return answers


def _ask(roots: Mapping[str, str], written: Mapping[str, Checkout]) -> tuple[dict[str, Json], set[str]]:
    """Return the answers of supervisors, and the names of folders whose supervisors do not answer."""
    sockets = {name: _sockets(root, written.get(name)) for name, root in roots.items()}
    every = [path for paths in sockets.values() for path in paths]
    said = ask_all(every, "status", {"measure": False}, seconds=PATIENCE_SECONDS)
    answers: dict[str, Json] = {}
    silent: set[str] = set()
    for name, paths in sockets.items():
        for path in paths:
            answer = said.get(path)
            # A copied folder contains the address of the original's supervisor.
            if answer is not None and root_name(answer["root"]) == name:
                answers[name] = answer
            elif path in said and answer is None:
                silent.add(name)
    return answers, silent - answers.keys()
