"""Specifies `devinit.supervisor.reporting.report`: which services are meant, and how they are described."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from devinit.errors import UsageError
from devinit.model.probe import (
    ExchangeProbe,
    ExecProbe,
    HttpProbe,
    LogProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    StayedUpProbe,
    TcpProbe,
)
from devinit.model.service import Project, Service
from devinit.supervisor.project.chosen import named
from devinit.supervisor.reporting.probe_words import describe_probe
from devinit.supervisor.reporting.report import TAILS_BYTES, bounded, reason_of_new_addresses


def project(*names: str) -> Project:
    root = Path("/shop")
    return Project(
        name="shop", root=root, services={name: Service(name=name, directory=root) for name in names}
    )


SHOP = project("postgres", "backend", "frontend")


class TestNamingServices:
    @pytest.mark.parametrize("names", [(), ("all",)])
    def test_no_name_and_all_mean_all(self, names: tuple[str, ...]) -> None:
        assert named(names, SHOP) == ["postgres", "backend", "frontend"]

    def test_names_mean_themselves_once(self) -> None:
        assert named(("frontend", "backend", "frontend"), SHOP) == ["frontend", "backend"]

    def test_a_misspelt_name_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="there is no service 'backnd' in shop") as caught:
            named(("backnd",), SHOP)

        assert caught.value.hint == "did you mean backend? services: postgres, backend, frontend"
        assert caught.value.exit_code == 2

    def test_a_name_like_no_other_is_refused_with_all(self) -> None:
        with pytest.raises(UsageError) as caught:
            named(("xyzzy",), SHOP)

        assert caught.value.hint == "services: postgres, backend, frontend"

    def test_a_name_is_refused_where_there_are_none(self) -> None:
        with pytest.raises(UsageError) as caught:
            named(("backend",), project())

        assert caught.value.hint == "services: none"


def judge(_answer: bytes) -> ProbeResult:
    return ProbeResult(ProbeVerdict.READY)


class TestAProbe:
    @pytest.mark.parametrize(
        ("probe", "text"),
        [
            (TcpProbe("127.0.0.1", 80), "accepts connections on 127.0.0.1:80"),
            (HttpProbe(host="::1", port=80, path="/health"), "GET http://[::1]:80/health succeeds"),
            (ExecProbe("pg_isready"), "`pg_isready` exits with 0"),
            (LogProbe("ready in"), "its output matches 'ready in'"),
            (StayedUpProbe(1.0), "it has stayed up for 1 s"),
            (
                ExchangeProbe(host="127.0.0.1", port=6379, request=b"PING", judge=judge),
                "answers its own protocol on 127.0.0.1:6379",
            ),
        ],
    )
    def test_is_described_in_words(self, probe: Probe, text: str) -> None:
        assert describe_probe(probe) == text


class TestTheReasonOfNewAddresses:
    BEFORE: ClassVar = {"db": "postgresql://shop:old@127.0.0.1:5432/shop"}

    def test_is_the_move_when_a_service_is_elsewhere(self) -> None:
        now = {"db": "postgresql://shop:new@127.0.0.1:5433/shop"}

        assert reason_of_new_addresses(self.BEFORE, now) == "db moved"

    def test_is_the_scheme_when_a_service_speaks_tls_now(self) -> None:
        before, now = {"web": "http://localhost:3000"}, {"web": "https://localhost:3000"}

        assert reason_of_new_addresses(before, now) == "web speaks another scheme"
        assert (
            reason_of_new_addresses({"web.debug": "localhost:1"}, {"web.debug": "localhost:2"})
            == "web.debug moved"
        )

    def test_is_the_password_when_only_that_is_another(self) -> None:
        now = {"db": "postgresql://shop:new@127.0.0.1:5432/shop"}

        assert reason_of_new_addresses(self.BEFORE, now) == "db has another password"


class TestTheLastLinesOfASummary:
    def test_are_bounded_by_their_bytes(self) -> None:
        lines = ["\u2713" * 400] * 60
        row: Any = {"service": "web", "log_tail": lines, "truncated": False}

        told = bounded([row, row])

        sent = [line for each in told for line in each["log_tail"]]
        assert sum(len(line.encode()) for line in sent) <= TAILS_BYTES + len(lines[0].encode())
        assert all(each["truncated"] for each in told)
