"""Specifies `devinit metrics` and `devinit ports --stats` on real projects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devinit.system.paths import project_id
from tests.cli.conftest import Listen, Shop

DOCS = Path(__file__).parents[2] / "docs"
LINE = re.compile(
    r'(?P<name>[a-z_]+)(?P<labels>\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? (?P<value>-?[0-9.e+-]+)'
)


def numbers(shop: Shop) -> dict[str, dict[str, float]]:
    """Read what is printed as Prometheus reads it: the numbers of each family by their labels."""
    done = shop("metrics")
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, float]] = {}
    kinds: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kinds[name] = line.split(" ")
        elif not line.startswith("#"):
            read = LINE.fullmatch(line)
            assert read, line
            assert read["name"] in kinds, f"{line} has no type before it"
            found.setdefault(read["name"], {})[read["labels"] or ""] = float(read["value"])
    return found


@pytest.fixture
def moved(shop: Shop, port: int, listen: Listen) -> Shop:
    """A project that runs, with its backend on another port than the one that it prefers."""
    listen(port)
    shop.service("backend", "lines=3", port=port)
    shop.service("web", port=port + 5)
    done = shop("start", "all")
    assert done.returncode == 0, done.stderr
    return shop


class TestTheNumbers:
    def test_are_those_of_the_ports_and_the_services(self, moved: Shop, port: int) -> None:
        found = numbers(moved)

        of_project = f'{{project="shop",checkout="{project_id(moved.root)}"}}'
        backend = of_project.replace("}", ',service="backend"}')
        assert found["devinit_ports_granted_total"] == {of_project: 2}
        assert found["devinit_ports_moved_total"] == {of_project: 1}
        assert found["devinit_port_attempts_total"] == {of_project: 3}
        [(labels, number)] = found["devinit_port_conflicts_total"].items()
        assert ('resolution="move"' in labels, number) == (True, 1)
        assert found["devinit_service_up"][backend] == 1
        assert found["devinit_service_healthy"][backend] == 1
        assert found["devinit_service_port"][backend] == port + 1
        assert 0 < found["devinit_service_ready_seconds"][backend] < 60
        assert found["devinit_service_restarts_total"][backend] == 0
        assert found["devinit_service_memory_bytes"][backend] > 1_000_000
        assert found["devinit_service_log_bytes"][backend] >= 512
        assert str(moved.root) not in moved("metrics").stdout

    def test_of_a_stopped_project_are_those_of_its_ports(self, moved: Shop) -> None:
        moved("stop")

        found = numbers(moved)

        assert sum(found["devinit_ports_granted_total"].values()) == 2
        assert "devinit_service_up" not in found

    def test_are_none_where_devinit_was_never_started(self, shop: Shop) -> None:
        assert shop("metrics").stdout == ""

    def test_are_the_same_as_json(self, moved: Shop) -> None:
        found = json.loads(moved("metrics", "--json").stdout)["metrics"]

        granted = next(each for each in found if each["name"] == "devinit_ports_granted_total")
        assert (granted["kind"], granted["value"]) == ("counter", 2)
        assert granted["labels"]["project"] == "shop"


class TestTheStatistics:
    def test_say_what_came_of_every_request(self, moved: Shop) -> None:
        said = moved("ports", "--stats").stdout.splitlines()

        assert said[1].split()[:8] == ["shop", "2", "1", "1", "0", "0", "3", "100%"]
        assert said[4].split()[-2:] == ["move", "1"]

    def test_count_a_failure(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port)
        shop.service("backend", port=port, strict_port=True)
        assert shop("start", "all").returncode == 3

        [found] = json.loads(shop("ports", "--stats", "--json").stdout)["statistics"]

        assert (found["granted"], found["failed"], found["success"]) == (0, 1, 0.0)

    def test_are_those_of_all_projects_with_all(self, moved: Shop) -> None:
        found = json.loads(moved("ports", "--stats", "--all", "--json").stdout)["statistics"]

        assert [each["project"] for each in found] == ["shop"]

    def test_are_forgotten_with_the_project(self, moved: Shop) -> None:
        moved("stop")
        moved("forget")

        assert "no port has been asked for yet" in moved("ports", "--stats").stderr


class TestTheDashboardOfGrafana:
    def expressions(self) -> list[str]:
        document = json.loads((DOCS / "guides" / "grafana-dashboard.json").read_text())
        return [target["expr"] for panel in document["panels"] for target in panel.get("targets", [])]

    def test_asks_for_numbers_that_there_are(self, moved: Shop) -> None:
        numbers(moved)  # CPU time is that since the look before
        there = {*numbers(moved)}

        asked = {name for each in self.expressions() for name in re.findall(r"devinit_[a-z_]+", each)}

        assert asked <= there
        assert len(asked) > 8

    def test_is_named_with_every_number_in_the_guide(self, moved: Shop) -> None:
        text = (DOCS / "guides" / "metrics.md").read_text()

        missing: list[Any] = [name for name in numbers(moved) if f"`{name}`" not in text]

        assert missing == []
