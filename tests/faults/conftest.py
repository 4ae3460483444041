"""The projects on which faults are tried: those of the supervisor's own tests."""

from __future__ import annotations

from tests.supervisor.conftest import free_ports, make_shop, port, shop, stranger, until

__all__ = ["free_ports", "make_shop", "port", "shop", "stranger", "until"]
