"""The decision whether a service may use the server that runs on a taken port. Pure.

A login by the service has already succeeded; the decision is whether that is proof enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from devinit.model.port import LeaseOwner
from devinit.model.running import RunningServer
from devinit.ports.holder.verdict import Obstruction
from devinit.ports.leases import Taken

AskRunning: TypeAlias = Callable[[str, int], RunningServer | None]
"""Ask the server on a port whether a service can use it; None if there is no way to find out."""


def refusal(server: RunningServer, obstruction: Obstruction, root: str) -> str:
    """Return why the checkout at `root` must not use a server; "" if it may.

    A running service of another devinit project belongs to that project. Only a password that both projects have
    shows that they mean the same data. A Redis without a password proves nothing.
    """
    if server.problem:
        return server.problem
    match obstruction:
        case Taken(owner=LeaseOwner(by_program=True), live=True):
            return ""  # a server of the user's own, like one without a lease
        case Taken(owner=LeaseOwner() as owner, live=True) if owner.root == root:
            return f"{server.title} answers, but it is {owner.service} of this project"
        case Taken(owner=owner, live=True) if not server.authenticated:
            whose = f"{owner.service} of {owner.project}" if owner else "a service of another devinit project"
            return f"{server.title} answers, but it is {whose} and lets every client in"
    return ""


def in_words(server: RunningServer) -> str:
    """Return a server and its data for the service in words: "PostgreSQL 15.18, database shop"."""
    return ", ".join(filter(None, (server.title, server.detail)))
