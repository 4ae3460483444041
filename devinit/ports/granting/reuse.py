"""Use the server that runs on a taken port: whether it may be, and what it is called. Pure.

That it lets the service in has been tried; what is decided here is whether that proves enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from devinit.model.port import LeaseOwner
from devinit.model.running import RunningServer
from devinit.ports.holder.verdict import Obstruction
from devinit.ports.leases import Taken

AskRunning: TypeAlias = Callable[[str, int], RunningServer | None]
"""Ask whatever runs on a port whether a service could use it; None when there is no way to tell."""


def refusal(server: RunningServer, obstruction: Obstruction, root: str) -> str:
    """Say why a server must not be used by the checkout at `root`; return an empty text when it may be.

    A running service of another devinit project is that project's: only a password that it shares with us
    proves that both mean the same data. A Redis that lets every client in proves nothing.
    """
    if server.problem:
        return server.problem
    match obstruction:
        case Taken(owner=LeaseOwner(by_program=True), live=True):
            return ""  # a server of the user's own, as one without a lease
        case Taken(owner=LeaseOwner() as owner, live=True) if owner.root == root:
            return f"{server.title} answers, but it is {owner.service} of this project"
        case Taken(owner=owner, live=True) if not server.authenticated:
            whose = f"{owner.service} of {owner.project}" if owner else "a service of another devinit project"
            return f"{server.title} answers, but it is {whose} and lets every client in"
    return ""


def in_words(server: RunningServer) -> str:
    """Name a server and what is there for the service: "PostgreSQL 15.18, database shop"."""
    return ", ".join(filter(None, (server.title, server.detail)))
