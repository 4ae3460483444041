"""Specifies the verdict about a taken port: a row for each kind, and for each refusal to call it one."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from msgspec.structs import replace

from devinit.model.port import (
    Container,
    Holder,
    LeaseOwner,
    Listener,
    Manager,
    PortReport,
    PortUse,
    UseState,
    VerdictKind,
)
from devinit.model.process import ProcessIdentity
from devinit.ports.hold import Refusal
from devinit.ports.holder.naming import named
from devinit.ports.holder.pm2 import Application
from devinit.ports.holder.port_use import Hidden, PortHolders
from devinit.ports.holder.verdict import Obstruction, brief, judge
from devinit.ports.leases import Taken

SHOP, BLOG = "/home/me/shop", "/home/me/my blog"
ME, ROOT = 1000, 0
SELF = 77
"""A pid that devinit runs in."""
LISTENER = Listener(port=8000, address="127.0.0.1", family=4, inode=1, uid=ME)
PM2 = Manager(kind="pm2", name="web", pid=7, stop_command="pm2 stop web")
DATABASE = Container(
    engine="docker",
    id="1",
    name="shop-db-1",
    image="postgres:16",
    compose_project="shop",
    compose_service="db",
)


def process(
    directory: str | None = "/srv",
    *,
    name: str = "node",
    pid: int = 4242,
    uid: int = ME,
    manager: Manager | None = None,
    worktree: str | None = None,
    linked: bool = False,
) -> Holder:
    return Holder(
        identity=ProcessIdentity(pid, 1, "boot"),
        parent_pid=1,
        name=name,
        command=(name, "server.js"),
        user="me" if uid == ME else "somebody",
        uid=uid,
        directory=directory,
        age_seconds=60.0,
        manager=manager,
        worktree=worktree,
        linked=linked,
    )


def held(*holders: Holder, container: Container | None = None) -> PortHolders:
    return PortHolders(
        port=8000,
        listeners=(LISTENER,),
        holders=holders,
        container=container,
        uid=ME,
        spared=frozenset({1, SELF}),
    )


def hidden(uid: int, user: str) -> PortHolders:
    return PortHolders(port=8000, listeners=(LISTENER,), hidden=(Hidden(uid, user),), uid=ME)


def used(state: UseState, facts: Holder | None = None) -> PortHolders:
    use = PortUse(state=state, user="somebody", peer="127.0.0.1:5432", processes=(facts,) if facts else ())
    return PortHolders(port=8000, use=use, uid=ME)


def owner(root: str = SHOP, service: str = "backend") -> LeaseOwner:
    return LeaseOwner(root=root, project=root.rsplit("/", 1)[-1], service=service, pid=1, at=0.0)


APPLICATION = Application(name="web", port=8000, directory="/srv/web", home="/srv/pm2")
LIVE, RESERVED = Taken(owner(), live=True), Taken(owner(BLOG), live=False)
PROGRAM = Taken(replace(owner(), by_program=True), live=True)
"""A program has leased it for itself."""
EARLIER = Taken(owner(), live=True)
"""The same, and nobody looks after the service."""
NOBODY = PortHolders(port=8000, uid=ME)
OURS = frozenset({4242})
"""What devinit has started: the pid of every process here that has no other."""


class Row(NamedTuple):
    found: PortHolders
    obstruction: Obstruction
    kind: VerdictKind
    advice: str
    """A part of it; empty where the holders may be ended."""
    started: frozenset[int] = frozenset()
    """The holders that devinit has started for the service which has the port leased."""


TAKEN = Refusal.TAKEN
TABLE = {
    # This project's own.
    "a service that is looked after": Row(
        held(process(SHOP)), LIVE, VerdictKind.OURS, "`devinit stop backend` ends it"
    ),
    "a service that is about to listen": Row(
        NOBODY, LIVE, VerdictKind.OURS, "`devinit stop backend` ends it"
    ),
    "an earlier run": Row(held(process(f"{SHOP}/api")), EARLIER, VerdictKind.ORPHAN, "", OURS),
    "an earlier run that a manager is part of": Row(
        held(process(SHOP, manager=PM2)), EARLIER, VerdictKind.ORPHAN, "", OURS
    ),
    "an earlier run, but a person's own server listens": Row(
        held(process(f"{SHOP}/api")), EARLIER, VerdictKind.STRAY, ""
    ),
    "an earlier run, but one of two listeners is a person's own server": Row(
        held(process(SHOP), process(SHOP, pid=9)), EARLIER, VerdictKind.STRAY, "", OURS
    ),
    "an earlier run, but a person's own server under a manager listens": Row(
        held(process(SHOP, manager=PM2)), EARLIER, VerdictKind.SUPERVISED, "`pm2 stop web`"
    ),
    "a program with a lease of its own": Row(held(process(SHOP)), PROGRAM, VerdictKind.PROGRAM, "", OURS),
    "a program with a lease of its own that does not listen": Row(
        NOBODY, PROGRAM, VerdictKind.PROGRAM, "end it by hand"
    ),
    "a program with a lease of its own, under a manager": Row(
        held(process(SHOP, manager=PM2)), PROGRAM, VerdictKind.SUPERVISED, "`pm2 stop web`"
    ),
    "a program with a lease of its own in another project": Row(
        held(process(BLOG)),
        Taken(replace(owner(BLOG), by_program=True), live=True),
        VerdictKind.PROGRAM,
        "a program of my blog (/home/me/my blog) runs on it",
    ),
    "an earlier run of which nobody listens": Row(
        NOBODY, EARLIER, VerdictKind.ORPHAN, "`devinit stop backend` ends it"
    ),
    "an earlier run, but the listener works elsewhere": Row(
        held(process("/home/me/shop-old")),
        EARLIER,
        VerdictKind.STRANGER,
        "nothing proves that it is backend",
    ),
    "an earlier run, but one of two listeners works elsewhere": Row(
        held(process(SHOP), process("/srv", pid=9)), EARLIER, VerdictKind.STRANGER, "(pid 9)"
    ),
    "an earlier run, but another user's": Row(
        held(process(SHOP, uid=1001)), EARLIER, VerdictKind.OTHER_USER, "`sudo kill 4242`"
    ),
    "an earlier run, but we run in it": Row(
        held(process(SHOP, pid=SELF)), EARLIER, VerdictKind.PROTECTED, "devinit itself"
    ),
    "an earlier run that is hidden": Row(
        hidden(ROOT, "root"), EARLIER, VerdictKind.OTHER_USER, "sudo ss -ltnp"
    ),
    # A stray of this checkout.
    "a process of this checkout": Row(held(process(f"{SHOP}/web")), TAKEN, VerdictKind.STRAY, ""),
    "a process of a folder that begins alike": Row(
        held(process("/home/me/shop2")), TAKEN, VerdictKind.STRANGER, ""
    ),
    "a process of a worktree inside this checkout": Row(
        held(process(f"{SHOP}/.trees/fix", worktree=f"{SHOP}/.trees/fix", linked=True)),
        TAKEN,
        VerdictKind.STRANGER,
        "",
    ),
    "a process of this checkout beside another one": Row(
        held(process(SHOP), process("/srv", pid=9)), TAKEN, VerdictKind.STRANGER, ""
    ),
    "another user's process of this checkout": Row(
        held(process(SHOP, uid=1001)), TAKEN, VerdictKind.OTHER_USER, "user somebody"
    ),
    "the shell of this checkout that we run in": Row(
        held(process(SHOP, pid=SELF)), TAKEN, VerdictKind.PROTECTED, "devinit itself"
    ),
    "a process of this checkout under a manager": Row(
        held(process(SHOP, manager=PM2)), TAKEN, VerdictKind.SUPERVISED, "`pm2 stop web`"
    ),
    # Another devinit project.
    "a running service of another project": Row(
        held(process(BLOG)),
        Taken(owner(BLOG), live=True),
        VerdictKind.NEIGHBOUR,
        "`devinit -C '/home/me/my blog' stop backend` ends it",
    ),
    "an extra port of another project": Row(
        held(process(BLOG)),
        Taken(owner(BLOG, "backend.debugger"), live=True),
        VerdictKind.NEIGHBOUR,
        "stop backend` ends it",
    ),
    "a lease that says nothing": Row(
        held(process(BLOG)),
        Taken(None, live=True),
        VerdictKind.NEIGHBOUR,
        "`devinit status --all`",
    ),
    "a port reserved for a stopped project": Row(
        NOBODY,
        RESERVED,
        VerdictKind.RESERVED,
        "`devinit -C '/home/me/my blog' ports reset backend` gives it up",
    ),
    "a reserved port that was connected to a moment ago": Row(
        used(UseState.CLOSED), RESERVED, VerdictKind.RESERVED, "ports reset backend` gives it up"
    ),
    "a port of a stopped application of PM2": Row(
        NOBODY,
        APPLICATION,
        VerdictKind.ASSIGNED,
        "`PM2_HOME=/srv/pm2 pm2 delete web`, and `pm2 save`, gives it up",
    ),
    "a port of a stopped application of PM2 that a stranger has": Row(
        held(process()), APPLICATION, VerdictKind.STRANGER, "pm2 delete web`"
    ),
    "a port reserved for ourselves": Row(
        NOBODY,
        Taken(owner(), live=False),
        VerdictKind.RESERVED,
        "backend of this project is stopped and will want it again: `devinit ports reset backend` gives it up",
    ),
    "a reserved port that a stranger has": Row(
        held(process()), RESERVED, VerdictKind.STRANGER, "ports reset backend` gives it up"
    ),
    "a reserved port that a container has": Row(
        held(process(name="docker-proxy"), container=DATABASE),
        RESERVED,
        VerdictKind.CONTAINER,
        "docker stop shop-db-1",
    ),
    # What is kept up by others.
    "a container, known": Row(
        held(process(name="docker-proxy", uid=ROOT), container=DATABASE),
        TAKEN,
        VerdictKind.CONTAINER,
        "container shop-db-1 (db of the Compose project shop): `docker stop shop-db-1` ends it",
    ),
    "a container, known, behind a hidden engine": Row(
        PortHolders(
            port=8000, listeners=(LISTENER,), hidden=(Hidden(ROOT, "root"),), container=DATABASE, uid=ME
        ),
        TAKEN,
        VerdictKind.CONTAINER,
        "`docker stop shop-db-1`",
    ),
    "a process inside a container": Row(
        held(process(manager=Manager(kind="podman", name="1", pid=None, stop_command="podman stop 1"))),
        TAKEN,
        VerdictKind.CONTAINER,
        "`podman stop 1` ends it",
    ),
    "a process under a manager": Row(
        held(process(manager=PM2)), TAKEN, VerdictKind.SUPERVISED, "`pm2 stop web` ends it"
    ),
    "a forward of ssh": Row(held(process(name="ssh")), TAKEN, VerdictKind.FORWARD, "SSH"),
    # Whom nobody ends. Which programs that are is specified where barriers are (test_holding).
    "the desktop": Row(held(process(name="Xorg")), TAKEN, VerdictKind.PROTECTED, "desktop"),
    "another user's hidden process": Row(
        hidden(ROOT, "root"), TAKEN, VerdictKind.OTHER_USER, "it is user root, pid hidden"
    ),
    "a process of ours that is hidden": Row(hidden(ME, "me"), TAKEN, VerdictKind.STRANGER, "hidden from us"),
    "a process of ours beside a hidden one": Row(
        PortHolders(
            port=8000,
            listeners=(LISTENER, LISTENER),
            holders=(process(),),
            hidden=(Hidden(ROOT, "root"),),
            uid=ME,
        ),
        TAKEN,
        VerdictKind.OTHER_USER,
        "pid hidden",
    ),
    # Nobody listens.
    "an outgoing connection": Row(
        used(UseState.CONNECTED, process()), TAKEN, VerdictKind.CONNECTION, "as long as"
    ),
    "a closed connection": Row(used(UseState.CLOSED), TAKEN, VerdictKind.CONNECTION, "within a minute"),
    "a socket that is only bound": Row(
        used(UseState.BOUND), TAKEN, VerdictKind.BOUND, "a process of user somebody"
    ),
    "nobody who is visible": Row(NOBODY, TAKEN, VerdictKind.BOUND, "try again"),
    "a port below 1024": Row(NOBODY, Refusal.FORBIDDEN, VerdictKind.FORBIDDEN, "choose a higher one"),
    # The rest.
    "any other process": Row(held(process()), TAKEN, VerdictKind.STRANGER, ""),
    "one whose folder is hidden": Row(held(process(None)), TAKEN, VerdictKind.STRANGER, ""),
    "one that has just gone": Row(held(), TAKEN, VerdictKind.STRANGER, "gone: try again"),
}


def judged(row: Row) -> PortReport:
    earlier = row.obstruction is EARLIER
    return judge(row.found, row.obstruction, root=SHOP, looked_after=not earlier, started=row.started)


class TestTheVerdict:
    @pytest.mark.parametrize("case", TABLE)
    def test_follows_the_table(self, case: str) -> None:
        row = TABLE[case]

        found = judged(row)

        assert found.kind is row.kind
        assert (found.killable, bool(found.advice)) == (not row.advice, bool(row.advice))
        assert row.advice in found.advice

    def test_has_a_row_for_each_kind(self) -> None:
        assert {row.kind for row in TABLE.values()} == set(VerdictKind)

    def test_holds_the_facts(self) -> None:
        found = held(process(name="docker-proxy"), container=DATABASE)

        report = judge(found, Taken(owner(BLOG), live=False), root=SHOP)

        assert (report.port, report.holders, report.listeners) == (8000, found.holders, found.listeners)
        assert (report.container, report.owner) == (DATABASE, owner(BLOG))

    def test_calls_nothing_ours_outside_a_checkout(self) -> None:
        assert judge(held(process(SHOP)), TAKEN, root="").kind is VerdictKind.STRANGER
        assert judge(held(process(SHOP)), LIVE, root="").kind is VerdictKind.NEIGHBOUR


class TestTheSummary:
    @pytest.mark.parametrize(
        ("obstruction", "summary"),
        [
            (Taken(owner(BLOG), live=True), "leased by backend of my blog (/home/me/my blog)"),
            (Taken(owner(), live=True), "leased by backend of this project"),
            (Taken(None, live=True), "leased by a devinit project that cannot be told"),
            (Refusal.FORBIDDEN, "refused by the kernel to this user"),
            (Refusal.TAKEN, "held by node server.js (pid 4242)"),
            (
                Taken(owner(BLOG), live=False),
                "held by node server.js (pid 4242), and reserved for backend of my blog (/home/me/my blog)",
            ),
        ],
    )
    def test_names_who_has_the_port(self, obstruction: Obstruction, summary: str) -> None:
        assert judge(held(process()), obstruction, root=SHOP).summary == summary

    def test_names_the_holder_of_a_port_whose_lease_an_earlier_run_left_behind(self) -> None:
        tmux = process(name="tmux: server")

        report = judge(held(tmux), EARLIER, root=SHOP, looked_after=False)

        assert report.kind is VerdictKind.PROTECTED
        assert report.summary == f"held by {named(tmux)}, and still leased by backend of this project"

    def test_names_who_uses_a_port_that_another_will_want_again(self) -> None:
        found = replace(used(UseState.CONNECTED, process()), users=(process(),))

        report = judge(found, RESERVED, root=SHOP)

        assert report.summary == (
            "taken: node server.js (pid 4242) uses it for a connection to 127.0.0.1:5432, "
            "and reserved for backend of my blog (/home/me/my blog)"
        )
        assert (report.kind, report.holders, report.killable) == (
            VerdictKind.CONNECTION,
            (process(),),
            False,
        )

    def test_names_who_will_want_a_port_again(self) -> None:
        assert judge(NOBODY, RESERVED, root=SHOP).summary == (
            "reserved for backend of my blog (/home/me/my blog), which is stopped"
        )

    def test_is_short_before_anybody_looked(self) -> None:
        assert brief(Refusal.TAKEN, SHOP) == "taken"
