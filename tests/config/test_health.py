"""Specifies `devinit.config.health`: what may be said about the checks of a service that is ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devinit.model.service import Health, Project

Loaded = Callable[..., Project]
Refused = Callable[..., str]

WEB = '[services.a]\ncommand = "x"\nport = 8000\n'
WORKER = '[services.a]\ncommand = "x"\n'
REDIS = '[services.a]\nprovider = "redis"\n'


class TestWithoutTheKey:
    def test_nobody_asks(self, loaded: Loaded) -> None:
        assert loaded(WEB).services["a"].health is None


class TestTheTable:
    def test_arrives_in_the_service(self, loaded: Loaded) -> None:
        project = loaded(
            WEB
            + 'health = { http = "/up", status = 204, body = "ok", every = 2, timeout = 1.5, failures = 4,'
            " restart_after = 8 }"
        )

        assert project.services["a"].health == Health(
            http="/up",
            status=(204,),
            body="ok",
            every_seconds=2,
            timeout_seconds=1.5,
            failures=4,
            restart_after=8,
        )

    @pytest.mark.parametrize(
        "service", [WEB, WEB + 'ready.http = "/"\n', WORKER + 'ready.exec = "x"\n', REDIS]
    )
    def test_may_be_empty_where_it_can_be_asked_as_for_its_readiness(
        self, loaded: Loaded, service: str
    ) -> None:
        assert loaded(service + "health = {}").services["a"].health == Health()


class TestAMistake:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (WEB + 'health = { http = "/", tcp = true }', "services.a.health: two ways to ask: http and tcp"),
            (WORKER + 'health.http = "/"', "services.a.health.http: needs a `port` (without one: `exec`)"),
            (WORKER + "health = {}", "services.a.health: does not say what to ask (`exec`"),
            (WEB + 'ready.log = "up"\nhealth = {}', "services.a.health: does not say what to ask"),
            (REDIS + "health.tcp = true", "services.a.health.tcp: redis is asked in its own protocol"),
            (WEB + "health.status = 200", "services.a.health.status: means nothing without `http`"),
            (WEB + 'health.exec = ""', "services.a.health.exec: is empty"),
            (WEB + "health.every = 0", "services.a.health.every: 0 is no duration"),
            (WEB + "health.failures = 0", "services.a.health.failures: 0 is too few"),
            (
                WEB + "health.restart_after = 2",
                "services.a.health.restart_after: 2 comes before it is unhealthy, after 3 (at least 3)",
            ),
            (WEB + "health.evry = 1", 'services.a.health.evry: unknown key (did you mean "every"?)'),
        ],
    )
    def test_is_told_by_its_key(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)
