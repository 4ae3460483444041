"""Specifies what commands say while devinit.toml is broken: what runs is as it was configured before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

COMMANDS = [("status",), ("why", "web"), ("check",), ("wait",)]
AT_REST = [
    ("status",),
    ("why", "web"),
    ("check",),
    ("wait", "--timeout", "0.1"),
    ("open", "web"),
    ("env",),
    ("ports",),
    ("restart",),
]
"""What fails when nothing runs."""
STILL_SHOWN = [("events",), ("logs",)]
"""What has an answer all the same."""
SAID = "the services run as they were configured before"


class TestABrokenConfiguration:
    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_is_mentioned_beside_an_answer_about_what_runs(
        self, shop: Shop, port: int, words: tuple[str, ...]
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        whole = shop(*words)
        shop.write(more="[services.x\n")

        broken, as_json = shop(*words), shop(*words, "--json")

        assert (whole.returncode, broken.returncode) == (0, 0)
        assert SAID not in whole.stderr
        [line] = [line for line in broken.stderr.splitlines() if SAID in line]
        assert "devinit.toml" in line
        assert "devinit.toml" in json.loads(as_json.stdout)["configuration_error"]

    def test_is_mentioned_beside_the_events_of_what_runs(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        assert SAID not in shop("events").stderr
        shop.write(more="[services.x\n")

        broken = shop("events", "--json")

        assert broken.returncode == 0
        assert SAID in broken.stderr
        assert all(json.loads(line)["type"] for line in broken.stdout.splitlines())

    def test_is_mentioned_to_who_follows_the_events(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.write(more="[services.x\n")

        following = shop.begin("events", "--follow")

        said = following.process.stderr
        assert said is not None
        assert SAID in said.readline().decode()

    def test_is_mentioned_when_the_file_is_gone(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        (shop.root / "devinit.toml").unlink()

        assert f"No such file or directory; {SAID}" in shop("status").stderr

    def test_is_not_mentioned_once_it_is_mended(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.write(more="[services.x\n")
        shop("status")
        shop.write()

        assert SAID not in shop("status").stderr
        assert json.loads(shop("status", "--json").stdout)["configuration_error"] is None


class TestABrokenConfigurationOfAProjectAtRest:
    @pytest.fixture(autouse=True)
    def broken(self, shop: Shop) -> None:
        shop.write(more="[services.x\n")

    @pytest.mark.parametrize("words", AT_REST, ids=" ".join)
    def test_is_why_a_command_fails(self, shop: Shop, words: tuple[str, ...]) -> None:
        done = shop(*words)

        assert done.returncode == 2
        assert f"error: {shop.root}/devinit.toml, line " in done.stderr

    @pytest.mark.parametrize("words", STILL_SHOWN, ids=" ".join)
    def test_is_mentioned_beside_what_there_is(self, shop: Shop, words: tuple[str, ...]) -> None:
        done = shop(*words)

        assert done.returncode == 0
        assert f"{shop.root}/devinit.toml, line " in done.stderr

    def test_is_mentioned_once_by_who_waits_for_events(self, shop: Shop) -> None:
        following = shop.begin("events", "--follow")

        said = following.process.stderr
        assert said is not None
        assert said.readline() == b"nothing runs here: waiting for a start\n"
        assert f"{shop.root}/devinit.toml, line " in said.readline().decode()
