from __future__ import annotations

import os
import socket

import pytest

from devinit.ports.verify import Elsewhere, Foreign, Nobody, Ours, ownership
from devinit.system.processes import tree_of
from tests.ports.conftest import Block, Stranger


class TestAPort:
    @pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
    def test_is_ours_when_the_service_listens(self, address: str, port: int, stranger: Stranger) -> None:
        service = stranger(port, address)

        assert ownership(port, [service.pid]) == Ours((service.pid,))

    def test_is_ours_when_a_grandchild_listens(self, port: int, stranger: Stranger) -> None:
        service = stranger(port, "127.0.0.1", "fork")

        assert ownership(port, tree_of(service.pid, None)) == Ours(tuple(tree_of(service.pid, None)))

    def test_is_nobody_s_before_the_service_listens(self, port: int, stranger: Stranger) -> None:
        service = stranger(port, "127.0.0.1", "bound")

        assert ownership(port, [service.pid]) == Nobody()

    def test_is_foreign_when_somebody_else_listens(self, port: int, stranger: Stranger) -> None:
        stranger(port)

        found = ownership(port, [os.getpid()])

        assert isinstance(found, Foreign)
        assert [each.address for each in found.listeners] == ["127.0.0.1"]

    def test_is_foreign_when_an_impostor_has_the_other_family(self, port: int, stranger: Stranger) -> None:
        service = stranger(port, "127.0.0.1")
        stranger(port, "::1")

        found = ownership(port, [service.pid])

        assert isinstance(found, Foreign)
        assert [each.address for each in found.listeners] == ["::1"]

    def test_was_left_for_another_one_by_the_service(self, block: Block, stranger: Stranger) -> None:
        given, chosen = block(2)
        service = stranger(chosen)

        assert ownership(given, [service.pid]) == Elsewhere((chosen,))

    def test_was_not_left_for_one_of_the_service_s_other_ports(
        self, block: Block, stranger: Stranger
    ) -> None:
        given, debugger = block(2)
        service = stranger(debugger)

        assert ownership(given, [service.pid], expected=[debugger]) == Nobody()

    def test_was_not_left_for_one_at_which_a_debugger_waits_for_what_it_debugs(
        self, block: Block, stranger: Stranger
    ) -> None:
        given, of_adapter = block(2)
        adapter = stranger(of_adapter, "127.0.0.1", "/venv/site-packages/debugpy/adapter")

        assert ownership(given, [adapter.pid]) == Nobody()

    def test_was_not_left_for_a_random_one_of_what_runs_under_a_debugger(
        self, port: int, stranger: Stranger
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            random = free.getsockname()[1]
        service = stranger(random, "127.0.0.1", "-m debugpy")

        assert ownership(port, [service.pid]) == Nobody()

    def test_was_left_for_another_one_by_what_runs_under_a_debugger(
        self, block: Block, stranger: Stranger
    ) -> None:
        given, chosen = block(2)
        service = stranger(chosen, "127.0.0.1", "-m debugpy")

        assert ownership(given, [service.pid]) == Elsewhere((chosen,))

    def test_was_left_for_another_one_also_beside_such_a_debugger(
        self, block: Block, stranger: Stranger
    ) -> None:
        given, of_adapter, chosen = block(3)
        adapter = stranger(of_adapter, "127.0.0.1", "/venv/site-packages/debugpy/adapter")
        service = stranger(chosen)

        assert ownership(given, [adapter.pid, service.pid]) == Elsewhere((chosen,))

    def test_of_a_service_that_ended_is_nobody_s(self, port: int, stranger: Stranger) -> None:
        service = stranger(port)
        service.kill()
        service.wait()

        assert ownership(port, [service.pid]) == Nobody()
