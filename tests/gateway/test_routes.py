from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from devinit.gateway.caddy.routes import AWAY, WITHDRAWN, Places, Target, configuration, upstreams_of

CADDY = Path(sys.executable).parent / "caddy"
PLACES = Places(
    listens_on=("fd/5", "fd/6"),
    admin="/run/c.sock",
    web="/run/w.sock",
    storage="/state/caddy",
    upstreams="/state/up",
)
BACKEND = Target(
    label="shop",
    service="backend",
    hosts=("backend.shop.localhost",),
    upstream="127.0.0.1:8001",
    phase="ready",
)
TLS = replace(BACKEND, service="frontend", hosts=("frontend.shop.localhost", "shop.localhost"), tls=True)


def routes_of(*targets: Target) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = configuration(targets, PLACES)["apps"]["http"]["servers"]["plain"]["routes"]
    return found


def proxies_in(value: object) -> list[dict[str, Any]]:
    """Return every `reverse_proxy` in a configuration, however deep."""
    if isinstance(value, list):
        return [found for each in value for found in proxies_in(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("handler") == "reverse_proxy" else []
    return own + [found for each in value.values() for found in proxies_in(each)]


class TestTheConfiguration:
    def test_follows_from_the_targets_alone(self) -> None:
        assert configuration([BACKEND, TLS], PLACES) == configuration([TLS, BACKEND], PLACES)

    def test_has_no_administration_over_tcp_and_a_socket_for_this_user_alone(self) -> None:
        assert configuration([], PLACES)["admin"]["listen"] == "unix//run/c.sock|0600"

    def test_listens_on_the_sockets_that_it_inherits_and_on_nothing_else(self) -> None:
        servers = configuration([BACKEND], PLACES)["apps"]["http"]["servers"]

        assert [each["listen"] for each in servers.values()] == [["fd/5", "fd/6"]]

    def test_lets_websockets_of_every_service_survive_a_change(self) -> None:
        dialled = [
            each
            for each in proxies_in(configuration([BACKEND, replace(TLS, phase="stopped")], PLACES))
            if not each["upstreams"][0]["dial"].startswith("unix/")
        ]

        assert dialled
        assert {each["stream_close_delay"] for each in dialled} == {"24h"}

    def test_cuts_no_request_off_at_a_change(self) -> None:
        assert "grace_period" not in configuration([BACKEND], PLACES)["apps"]["http"]

    def test_answers_the_well_known_path_before_the_service(self) -> None:
        first = routes_of(BACKEND)[0]["handle"][0]["routes"][0]

        assert first["match"] == [{"path": ["/.well-known/devinit", "/.well-known/devinit/*"]}]
        assert first["terminal"]

    def test_sets_every_header_that_the_gateway_believes(self) -> None:
        ours = [each for each in proxies_in(configuration([BACKEND, TLS], PLACES)) if "set" in str(each)]
        to_gateway = [each for each in ours if each["upstreams"][0]["dial"] == "unix//run/w.sock"]

        names = {"X-Devinit-Kind", "X-Devinit-Project", "X-Devinit-Service", "X-Devinit-Peer"}
        assert to_gateway
        assert all(each["headers"]["request"]["set"].keys() == names for each in to_gateway)

    @pytest.mark.parametrize("phase", ["waiting", "starting", "unhealthy", "stopped", WITHDRAWN])
    def test_is_the_same_wherever_a_service_is_and_whatever_it_does(self, phase: str) -> None:
        moved = replace(BACKEND, phase=phase, upstream="127.0.0.1:9999")

        assert configuration([moved], PLACES) == configuration([BACKEND], PLACES)

    def test_dials_what_the_file_of_a_service_says(self) -> None:
        dialled = routes_of(BACKEND)[0]["handle"][0]["routes"][-1]["handle"][0]

        assert dialled["upstreams"] == [{"dial": "{file./state/up/backend.shop}"}]

    @pytest.mark.parametrize("phase", ["stopped", "failed", "exited", "orphaned", WITHDRAWN])
    def test_never_dials_a_port_that_may_be_another_programs(self, phase: str) -> None:
        assert upstreams_of([BACKEND, replace(TLS, phase=phase)]) == {
            "backend.shop": "127.0.0.1:8001",
            "frontend.shop": AWAY,
        }

    def test_ends_with_an_answer_for_every_other_name(self) -> None:
        assert "match" not in routes_of(BACKEND)[-1]
        assert "match" not in routes_of()[-1]

    @pytest.mark.skipif(not CADDY.exists(), reason="needs the extra `gateway`")
    def test_is_valid_to_caddy(self, tmp_path: Path) -> None:
        whole = configuration([BACKEND, replace(TLS, phase="stopped")], PLACES)
        file = tmp_path / "caddy.json"
        file.write_text(json.dumps(whole))

        answer = subprocess.run(
            [CADDY, "validate", "--config", file],
            env={"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert answer.returncode == 0, answer.stderr
