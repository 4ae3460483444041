"""Specifies whether a server that lets a service in may also be used by it."""

from __future__ import annotations

import pytest

from devinit.model.port import LeaseOwner
from devinit.model.running import RunningServer
from devinit.ports.granting.reuse import in_words, refusal
from devinit.ports.hold import Refusal
from devinit.ports.leases import Taken

OPEN = RunningServer(title="Redis 7.0.15", detail="0 keys in database 0")
KNOWN = RunningServer(title="PostgreSQL 15.18", detail="database shop", authenticated=True)


def owned_by(root: str, *, live: bool) -> Taken:
    owner = LeaseOwner(root=root, project="bakery", service="db", pid=1, at=0.0)
    return Taken(owner=owner, live=live)


class TestWhetherItMayBeUsed:
    @pytest.mark.parametrize(
        ("server", "obstruction", "reason"),
        [
            (OPEN, Refusal.TAKEN, ""),
            (KNOWN, Refusal.TAKEN, ""),
            (RunningServer(problem="it is no Redis"), Refusal.TAKEN, "it is no Redis"),
            (OPEN, owned_by("/bakery", live=False), ""),
            (
                OPEN,
                owned_by("/bakery", live=True),
                "Redis 7.0.15 answers, but it is db of bakery and lets every client in",
            ),
            (KNOWN, owned_by("/bakery", live=True), ""),
            (
                OPEN,
                Taken(owner=None, live=True),
                "Redis 7.0.15 answers, but it is a service of another devinit project and lets every client in",
            ),
            (
                KNOWN,
                owned_by("/shop", live=True),
                "PostgreSQL 15.18 answers, but it is db of this project",
            ),
        ],
    )
    def test_depends_on_whose_it_is_and_what_was_proven(
        self, server: RunningServer, obstruction: Taken | Refusal, reason: str
    ) -> None:
        assert refusal(server, obstruction, "/shop") == reason


class TestItsName:
    def test_has_the_version_and_what_is_there(self) -> None:
        assert in_words(KNOWN) == "PostgreSQL 15.18, database shop"
        assert in_words(RunningServer(title="Redis 7.0.15")) == "Redis 7.0.15"
