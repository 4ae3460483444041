from __future__ import annotations

import os

import pytest

from devinit.model.port import Holder, LeaseOwner, Listener, VerdictKind
from devinit.model.process import ProcessIdentity
from devinit.ports.conflicts import brief, describe
from devinit.ports.hold import Refusal
from devinit.ports.holder import Holding
from devinit.ports.leases import Taken

SHOP = "/home/me/shop"
VITE = Holder(
    identity=ProcessIdentity(4242, 1, "boot"),
    parent_pid=1,
    name="vite",
    command=("vite",),
    user="me",
    uid=1000,
    directory="/home/me",
    age_seconds=60.0,
)
LISTENER = Listener(port=8000, address="127.0.0.1", family=4, inode=1, uid=1000)
HELD = Holding(port=8000, listeners=(LISTENER,), holders=(VITE,))


def owner(root: str = "/home/me/my blog", service: str = "backend", pid: int = 1) -> LeaseOwner:
    return LeaseOwner(root=root, project=root.rsplit("/", 1)[-1], service=service, pid=pid, at=0.0)


class TestAPortThatAStrangerHas:
    def test_is_a_conflict_with_the_facts_of_its_holder(self) -> None:
        conflict = describe("backend", 8000, Refusal.TAKEN, HELD, SHOP)

        assert conflict.kind is VerdictKind.STRANGER
        assert conflict.holders == (VITE,)
        assert conflict.listeners == (LISTENER,)
        assert conflict.killable
        assert conflict.advice == ""

    def test_may_be_protected(self) -> None:
        protected = Holding(port=8000, listeners=(LISTENER,), holders=(VITE,), protection="leave it")

        conflict = describe("backend", 8000, Refusal.TAKEN, protected, SHOP)

        assert not conflict.killable
        assert conflict.advice == "leave it"


class TestAPortThatIsForbidden:
    def test_cannot_be_freed_by_ending_anybody(self) -> None:
        conflict = describe("web", 80, Refusal.FORBIDDEN, HELD, SHOP)

        assert conflict.kind is VerdictKind.FORBIDDEN
        assert not conflict.killable
        assert "root" in conflict.advice


class TestAPortOfAnotherProject:
    def test_is_never_freed_by_force(self) -> None:
        conflict = describe("backend", 8000, Taken(owner(), live=True), HELD, SHOP)

        assert conflict.kind is VerdictKind.NEIGHBOUR
        assert conflict.owner == owner()
        assert not conflict.killable
        assert conflict.advice == (
            "backend of my blog runs on it: `devinit -C '/home/me/my blog' stop backend` ends it"
        )

    def test_stays_reserved_while_the_project_is_stopped(self) -> None:
        conflict = describe("backend", 8000, Taken(owner(), live=False), Holding(port=8000), SHOP)

        assert conflict.kind is VerdictKind.RESERVED
        assert not conflict.killable
        assert "`devinit -C '/home/me/my blog' ports reset backend` gives it up" in conflict.advice

    def test_may_have_an_owner_that_cannot_be_told(self) -> None:
        conflict = describe("backend", 8000, Taken(None, live=True), HELD, SHOP)

        assert not conflict.killable
        assert "devinit status --all" in conflict.advice


class TestAPortOfOurOwn:
    def test_is_ours_to_free_when_an_earlier_run_of_the_service_has_it(self) -> None:
        conflict = describe("backend", 8000, Taken(owner(SHOP), live=True), HELD, SHOP)

        assert conflict.owner == owner(SHOP)
        assert conflict.killable

    @pytest.mark.parametrize("theirs", [owner(SHOP, "frontend"), owner(SHOP, "backend", os.getpid())])
    def test_is_left_to_a_service_that_may_be_supervised(self, theirs: LeaseOwner) -> None:
        conflict = describe("backend", 8000, Taken(theirs, live=True), HELD, SHOP)

        assert not conflict.killable
        assert f"`devinit stop {theirs.service}` ends it" in conflict.advice

    def test_cannot_be_freed_while_nobody_listens_on_it(self) -> None:
        conflict = describe("backend", 8000, Taken(owner(SHOP), live=True), Holding(port=8000), SHOP)

        assert not conflict.killable


class TestTheReason:
    @pytest.mark.parametrize(
        ("obstruction", "reason"),
        [
            (Taken(owner(), live=True), "leased by backend of my blog (/home/me/my blog)"),
            (Taken(owner(SHOP), live=True), "leased by backend of this project"),
            (
                Taken(owner(), live=False),
                "reserved for backend of my blog (/home/me/my blog), which is stopped",
            ),
            (Taken(None, live=True), "leased by a devinit project that cannot be told"),
            (Refusal.FORBIDDEN, "refused by the kernel to this user"),
            (Refusal.TAKEN, "held by vite (pid 4242)"),
        ],
    )
    def test_names_who_has_the_port(self, obstruction: Taken | Refusal, reason: str) -> None:
        assert brief(obstruction, SHOP, HELD) == reason

    def test_is_short_before_anybody_looked(self) -> None:
        assert brief(Refusal.TAKEN, SHOP) == "taken"
