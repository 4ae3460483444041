"""Specifies `ports find` against real listeners and real projects."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.cli.conftest import Listen, Shop
from tests.cli.test_port_actions import anywhere


def passed(done: subprocess.CompletedProcess[str]) -> dict[int, str]:
    """Return what was passed over, by port."""
    answer: Any = json.loads(done.stdout)
    return {each["port"]: each["reason"] for each in answer["passed"]}


class TestTheNextPort:
    def test_is_printed_alone(self, port: int) -> None:
        done = anywhere("ports", "find", str(port))

        assert (done.returncode, done.stdout, done.stderr) == (0, f"{port}\n", "")

    def test_is_one_that_no_process_has(self, port: int, listen: Listen) -> None:
        listen(port)

        done = anywhere("ports", "find", str(port), "--json")

        assert json.loads(done.stdout) == {
            "port": port + 1,
            "passed": [{"port": port, "reason": "in use"}],
        }

    def test_is_one_that_no_project_has_or_had(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.service("web", port=port + 1)
        shop("start")
        shop("stop", "web")

        found = passed(anywhere("ports", "find", str(port), "--json"))

        assert found[port] == "backend of shop"
        assert found[port + 1] == "web of shop, which is stopped"

    def test_is_one_that_the_project_around_will_not_ask_for(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        assert shop("ports", "find", str(port)).stdout == f"{port + 1}\n"
        assert anywhere("ports", "find", str(port)).stdout == f"{port}\n"

    def test_is_found_although_the_configuration_is_broken(self, shop: Shop, port: int) -> None:
        (shop.root / "devinit.toml").write_text("[services")

        done = shop("ports", "find", str(port))

        assert (done.returncode, done.stdout) == (0, f"{port}\n")
        assert "the ports that this project asks for are not known" in done.stderr

    def test_is_none_that_browsers_refuse(self) -> None:
        assert passed(anywhere("ports", "find", "6000", "--json"))[6000].startswith("unsafe")

    def test_may_be_none_at_all(self) -> None:
        taken = anywhere("ports", "find", "65535")

        # The kernel's range for outgoing connections usually ends before it.
        assert taken.stdout == "65535\n" or "no free port in 65535-65535" in taken.stderr
