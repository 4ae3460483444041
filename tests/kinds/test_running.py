"""Specifies what is asked of a server that runs already, whatever kind it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devinit.kinds.providers import PROVIDERS
from devinit.kinds.running import ASK_SECONDS, LONGEST_ANSWER, ServerReply, judge
from devinit.model.running import RunningServer
from devinit.model.service import Service
from tests.kinds.conftest import Speaker


def an_answer(instance: str = "1") -> ServerReply:
    return ServerReply(server=RunningServer(title="Redis 7.0.15"), instance=instance)


class TestAServerThatSaysNothing:
    @pytest.mark.parametrize("provider", ["postgres", "redis"])
    def test_is_given_up_within_a_second(self, speaker: Speaker, provider: str) -> None:
        service = Service(name="it", provider=provider, directory=Path("/"))
        port = speaker(None)
        speaker(None, address="::1", port=port)
        began = time.monotonic()

        found = PROVIDERS[provider].running(service, PROVIDERS[provider].endpoint(service, port))

        assert found is not None
        assert found.problem == "what listens there does not answer within 1 s"
        # The second address is asked in the time that is left; the rest is for a machine that is busy.
        assert time.monotonic() - began < ASK_SECONDS + 0.5


class TestAServerThatSaysTooMuch:
    def test_does_not_fill_the_memory(self, speaker: Speaker) -> None:
        service = Service(name="it", provider="redis", directory=Path("/"))
        port = speaker(b"+" * (LONGEST_ANSWER + 100_000))

        found = PROVIDERS["redis"].running(service, PROVIDERS["redis"].endpoint(service, port))

        assert found is not None
        assert found.problem == "what it answers makes no sense"


class TestAProcess:
    def test_cannot_be_asked(self) -> None:
        service = Service(name="backend", directory=Path("/"))

        assert PROVIDERS["process"].running(service, PROVIDERS["process"].endpoint(service, 8000)) is None


class TestTheJudgement:
    def test_is_yes_when_one_server_answers_everywhere(self) -> None:
        found = judge("127.0.0.1", {"127.0.0.1": an_answer(), "::1": an_answer()}, {})

        assert found == RunningServer(title="Redis 7.0.15")

    def test_of_a_name_takes_whichever_address_answers(self) -> None:
        assert judge("localhost", {"::1": an_answer()}, {}).problem == ""
        assert judge("localhost", {}, {"::1": "it is no Redis"}).problem == "it is no Redis"
        assert judge("localhost", {}, {}).problem == "nothing answers on localhost"
