"""Specifies an order whose answer a thread waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from devinit.control.client import Client
from devinit.control.pending import Pending
from devinit.errors import DevinitError


class FakeClient(Client):
    """A connection on which events and the answer come when a test says so."""

    def __init__(self) -> None:
        self.ordered: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.error: DevinitError | None = None
        self.may_answer = threading.Event()

    def order(self, method: str, params: dict[str, Any] | None = None) -> None:
        self.ordered.append({"method": method, **(params or {})})

    def answer(
        self,
        method: str,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> Any:
        assert on_event is not None
        for event in self.events:
            on_event(event)
        assert self.may_answer.wait(30)
        if self.error is not None:
            raise self.error
        return {"exit_code": 0}


def answered(pending: Pending) -> None:
    done = threading.Event()
    pending.when_answered(done.set)
    assert done.wait(30)


class TestAPendingOrder:
    def test_is_sent_at_once_and_answered_when_the_supervisor_answers(self) -> None:
        client = FakeClient()
        pending = Pending(client, "start")
        pending.order({"services": []})
        assert client.ordered == [{"method": "start", "services": []}]
        assert pending.refusal is None

        client.may_answer.set()
        answered(pending)

        assert pending.result() == {"exit_code": 0}

    def test_tells_a_late_listener_every_event(self) -> None:
        client = FakeClient()
        client.events = [{"type": "plan"}, {"type": "summary"}]
        client.may_answer.set()
        pending = Pending(client, "start")
        pending.order({})
        answered(pending)
        seen: list[dict[str, Any]] = []

        pending.listen(seen.append)

        assert seen == client.events

    def test_that_is_refused_can_be_given_again(self) -> None:
        client = FakeClient()
        client.error = DevinitError("port 8000 is taken")
        client.may_answer.set()
        pending = Pending(client, "start")
        pending.order({})
        answered(pending)
        assert pending.refusal is client.error
        with pytest.raises(DevinitError):
            pending.result()

        client.error = None
        pending.order({"resolutions": [1]})
        answered(pending)

        assert pending.result() == {"exit_code": 0}
        assert client.ordered[-1] == {"method": "start", "resolutions": [1]}
