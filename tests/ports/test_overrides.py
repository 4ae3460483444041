from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from devinit.model.names import port_variable
from devinit.ports.granting.overrides import Override, Overrides, overrides

ROOT = Path("/home/me/shop")


def read(
    environ: Mapping[str, str], *services: str, aliases: Mapping[str, Sequence[str]] | None = None
) -> Overrides:
    return overrides(environ, services or ("backend",), root=ROOT, aliases=aliases or {})


class TestThePortVariableOfAService:
    @pytest.mark.parametrize(
        ("service", "name"),
        [
            ("backend", "BACKEND_PORT"),
            ("my-api", "MY_API_PORT"),
            ("backend.debugger", "BACKEND_DEBUGGER_PORT"),
        ],
    )
    def test_is_its_name_in_upper_case(self, service: str, name: str) -> None:
        assert port_variable(service) == name


class TestAPortInTheEnvironment:
    def test_is_a_wish(self) -> None:
        assert read({"BACKEND_PORT": "9000"}).ports == {"backend": Override(9000, "BACKEND_PORT")}

    def test_may_have_another_name(self) -> None:
        found = read({"API_PORT": "9000"}, aliases={"backend": ["HTTP_PORT", "API_PORT"]})

        assert found.ports == {"backend": Override(9000, "API_PORT")}

    def test_is_taken_from_the_service_s_own_variable_first(self) -> None:
        found = read({"API_PORT": "9000", "BACKEND_PORT": "9001"}, aliases={"backend": ["API_PORT"]})

        assert found.ports == {"backend": Override(9001, "BACKEND_PORT")}

    def test_of_another_service_is_nobody_s(self) -> None:
        assert read({"DATABASE_PORT": "9000"}).ports == {}

    def test_that_is_empty_says_nothing(self) -> None:
        assert read({"BACKEND_PORT": " "}) == Overrides(ports={})

    @pytest.mark.parametrize(
        "value", ["abc", "80 01", "0", "65536", "-1", "8_000", "8000.0", "٨٠٠٠", "9" * 5000]
    )
    def test_that_is_no_port_number_is_a_warning(self, value: str) -> None:
        found = read({"BACKEND_PORT": value})

        assert found.ports == {}
        assert found.warnings == (
            f"BACKEND_PORT={value} ignored: it is not a port number between 1 and 65535",
        )

    def test_that_is_no_port_number_leaves_room_for_the_next_name(self) -> None:
        found = read({"BACKEND_PORT": "x", "API_PORT": "9000"}, aliases={"backend": ["API_PORT"]})

        assert found.ports == {"backend": Override(9000, "API_PORT")}


class TestAnEnvironmentOfAnotherCheckout:
    def test_is_ignored_and_that_is_said(self) -> None:
        found = read({"DEVINIT_PROJECT": "/home/me/blog", "BACKEND_PORT": "9000", "API_PORT": "9000"})

        assert found.ports == {}
        assert found.warnings == (
            "BACKEND_PORT ignored: inherited from the environment of another checkout, /home/me/blog",
        )

    def test_is_not_mentioned_when_it_changes_nothing(self) -> None:
        assert read({"DEVINIT_PROJECT": "/home/me/blog"}).warnings == ()

    def test_is_our_own_under_any_path(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        environ = {"DEVINIT_PROJECT": str(tmp_path / "link"), "BACKEND_PORT": "9000"}

        assert overrides(environ, ["backend"], root=tmp_path).ports == {
            "backend": Override(9000, "BACKEND_PORT")
        }


class TestTheSearchItself:
    @pytest.mark.parametrize(
        ("text", "value"), [("true", True), ("1", True), ("YES", True), ("off", False), ("", False)]
    )
    def test_can_be_switched_off(self, text: str, value: bool) -> None:
        assert read({"SKIP_PORT_DISCOVERY": text}).skip_discovery is value

    def test_can_be_told_step_by_step(self) -> None:
        assert read({"DEBUG_PORT_DISCOVERY": "true"}).debug

    def test_can_be_limited_in_milliseconds(self) -> None:
        assert read({"PORT_DISCOVERY_TIMEOUT": "250"}).timeout_seconds == 0.25

    @pytest.mark.parametrize("name", ["SKIP_PORT_DISCOVERY", "DEBUG_PORT_DISCOVERY"])
    def test_warns_of_a_switch_that_is_neither(self, name: str) -> None:
        assert read({name: "maybe"}).warnings == (f"{name}=maybe ignored: it is neither true nor false",)

    @pytest.mark.parametrize("value", ["soon", "0", "-5", "1.5"])
    def test_warns_of_a_limit_that_is_none(self, value: str) -> None:
        found = read({"PORT_DISCOVERY_TIMEOUT": value})

        assert found.timeout_seconds is None
        assert found.warnings == (
            f"PORT_DISCOVERY_TIMEOUT={value} ignored: it is not a number of milliseconds above 0",
        )
