"""A server that already runs on the port of a service: what it answered."""

from __future__ import annotations

from msgspec import Struct


class RunningServer(Struct, frozen=True, kw_only=True):
    """What answers on a port, asked in the service's own protocol and with the service's own credentials."""

    title: str = ""
    """What it is, with its version: "PostgreSQL 15.18"; empty when it did not say."""
    detail: str = ""
    """What the service would find there, in words: "database shop", "57 keys in database 0"."""
    problem: str = ""
    """Why the service cannot use it, in words; empty when it can."""
    authenticated: bool = False
    """It let us in because of the password, not because it lets every client in."""
