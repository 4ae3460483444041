"""The projects for the tests of faults: those of the supervisor's own tests."""

from __future__ import annotations

from tests.supervisor.conftest import free_ports, make_shop, port, shop, stranger, until

__all__ = ["free_ports", "make_shop", "port", "shop", "stranger", "until"]
