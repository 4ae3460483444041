"""Specifies a compose file on other ports: which ones it asks for, and what follows them."""

from __future__ import annotations

from typing import Any

from devinit.cli.composed.model import Published, on_ports, port_names, published, text_of, wanted
from devinit.exporters.yaml import Node

# As docker-compose 1.29 prints it, and as compose v2 does.
OLD: dict[str, Node] = {
    "services": {
        "web": {
            "ports": [
                {"published": 8080, "target": 80},
                "127.0.0.1:9000:9000/tcp",
                {"protocol": "udp", "published": 5353, "target": 53},
                {"target": 7000},
            ],
            "environment": {"API": "http://localhost:8090/v1", "OWN": "127.0.0.1:8090", "NOTHING": None},
            "depends_on": {"api": {"condition": "service_started"}},
        },
        "api": {"ports": [{"published": 8090, "target": 90}]},
        "tool": {"ports": [{"published": 8070, "target": 70}], "profiles": ["debug"]},
    }
}
NEW: dict[str, Node] = {
    "name": "shop",
    "services": {
        "web": {
            "ports": [
                {
                    "mode": "ingress",
                    "target": 80,
                    "published": "8080",
                    "protocol": "tcp",
                    "host_ip": "127.0.0.1",
                },
                {"mode": "ingress", "target": 81, "published": "8100-8110", "protocol": "tcp"},
            ],
            "build": {"context": "/shop", "args": {"VITE_API": "ws://127.0.0.1:8080/"}},
        }
    },
}


def at(tree: Any, *keys: str | int) -> Any:
    """Return a part of a file."""
    for key in keys:
        tree = tree[key]
    return tree


class TestThePorts:
    def test_are_those_with_a_number_on_this_machine(self) -> None:
        assert published(OLD, ["web"]) == [Published("web", 80, 8080), Published("web", 9000, 9000)]
        assert published(NEW, ["web"]) == [Published("web", 80, 8080)]

    def test_have_a_name_each(self) -> None:
        ports = [Published("web", 80, 8080), Published("web", 81, 81), Published("web", 81, 82)]

        assert [*port_names(ports)] == ["compose.web", "compose.web.81", "compose.web.81-82"]

    def test_are_written_as_they_were(self) -> None:
        old, _ = on_ports(OLD, {8080: 8081, 9000: 9002}, {})
        new, _ = on_ports(NEW, {8080: 8081}, {})

        assert at(old, "services", "web", "ports") == [
            {"published": 8081, "target": 80},
            "127.0.0.1:9002:9000/tcp",
            {"protocol": "udp", "published": 5353, "target": 53},
            {"target": 7000},
        ]
        assert at(new, "services", "web", "ports", 0, "published") == "8081"


class TestServices:
    def test_are_all_without_those_of_other_profiles(self) -> None:
        assert wanted(OLD, (), ()) == ["web", "api"]
        assert wanted(OLD, ("debug",), ()) == ["web", "api", "tool"]

    def test_are_those_that_the_words_name_with_what_they_need(self) -> None:
        assert wanted(OLD, (), ("-d", "api")) == ["api"]
        assert wanted(OLD, (), ("web", "unknown")) == ["web", "api"]
        assert wanted(OLD, (), ("tool",)) == ["tool"]


class TestValues:
    def test_follow_where_they_lead_out_of_the_container(self) -> None:
        changed, followed = on_ports(OLD, {8090: 8091}, {})

        assert at(changed, "services", "web", "environment") == {
            "API": "http://localhost:8091/v1",
            "OWN": "127.0.0.1:8090",
            "NOTHING": None,
        }
        assert followed == {"web": ["API"]}

    def test_follow_in_a_build(self) -> None:
        changed, followed = on_ports(NEW, {8080: 8081}, {})

        assert at(changed, "services", "web", "build", "args") == {"VITE_API": "ws://127.0.0.1:8081/"}
        assert followed == {"web": ["VITE_API"]}

    def test_follow_services_that_devinit_runs_beside(self) -> None:
        model: dict[str, Node] = {
            "services": {
                "web": {"environment": {"A": "http://host.docker.internal:8000", "B": "http://x:80000"}}
            }
        }

        changed, _ = on_ports(model, {}, {8000: 8001})

        assert at(changed, "services", "web", "environment", "A") == "http://host.docker.internal:8001"


def test_a_file_that_is_none_asks_for_nothing() -> None:
    strange: dict[str, Node] = {
        "services": {"a": None, "b": {"ports": "80:80"}, "c": {"ports": [None, {"target": "x"}]}}
    }

    assert published(strange, ["a", "b", "c"]) == []
    assert "services" in text_of(on_ports(strange, {80: 81}, {})[0])
    assert wanted({}, (), ("up",)) == []
