"""A server that already runs on the port of a service, according to its answer."""

from __future__ import annotations

from msgspec import Struct


class RunningServer(Struct, frozen=True, kw_only=True):
    """The answer on a port to a query in the service's own protocol and with its own credentials."""

    title: str = ""
    """The server with its version: "PostgreSQL 15.18"; empty if it did not say."""
    detail: str = ""
    """The data for the service there, in words: "database shop", "57 keys in database 0"."""
    problem: str = ""
    """Why the service cannot use it, in words; empty if it can."""
    authenticated: bool = False
    """Whether it accepted us because of the password, and not because it accepts every client."""
