"""Specifies the stack for Docker Swarm: what `docker stack deploy` reads, and what it must not publish."""

from __future__ import annotations

from typing import Any

import yaml

from tests.exporters.conftest import Exported

REFUSED = {"build", "depends_on", "profiles", "restart", "container_name", "links"}
"""Keys that `docker stack deploy` refuses or passes over."""


def stack_of(exported: Exported, *text: str) -> dict[str, Any]:
    (file,) = exported("swarm", *text).files
    found: dict[str, Any] = yaml.safe_load(file.text)
    return found


class TestAStack:
    def test_has_no_key_that_swarm_does_not_know(self, exported: Exported) -> None:
        stack = stack_of(exported)

        assert stack["version"] == "3.8"
        assert all(REFUSED.isdisjoint(each) and each["image"] for each in stack["services"].values())

    def test_publishes_programs_alone(self, exported: Exported) -> None:
        services = stack_of(exported)["services"]

        assert "ports" not in services["postgres"]
        published = [port for each in services.values() for port in each.get("ports", ())]
        assert published
        assert not any(port.startswith("127.0.0.1") for port in published)

    def test_keeps_what_has_a_volume_on_one_node(self, exported: Exported) -> None:
        stack = stack_of(exported)

        postgres = stack["services"]["postgres"]
        assert postgres["deploy"]["placement"]["constraints"] == ["node.role == manager"]
        assert postgres["volumes"][0].partition(":")[0] in stack["volumes"]
        assert "with several, name one: node.hostname == NAME" in exported("swarm").files[0].text

    def test_tries_again_what_ends_until_it_has_succeeded(self, exported: Exported) -> None:
        services = stack_of(exported)["services"]

        jobs = [each for name, each in services.items() if name.endswith(("-before-start", "-databases"))]
        assert jobs
        assert {each["deploy"]["restart_policy"]["condition"] for each in jobs} == {"on-failure"}

    def test_says_which_images_it_expects(self, exported: Exported) -> None:
        notes = exported("swarm").notes

        assert any("images are expected where every node can get them" in each for each in notes)
        assert any("answers on every node" in each for each in notes)
