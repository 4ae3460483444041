"""Specifies `devinit.cli.bounds`: a program that asks for the status of many services takes in only so much."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

SERVICES = 30
LONG = "x" * 150


def failing(shop: Shop) -> None:
    """Have many services that fail with a long reason, and one that runs."""
    for number in range(SERVICES):
        shop.service(f"job{number}", command=f"sh -c 'echo Error: {LONG} >&2; exit 3'")
    shop.service("web", "never", ready={"after": 0})
    shop("start")


class TestTheStatusOfManyServices:
    def test_has_every_service_and_shorter_reasons_where_a_program_reads(self, shop: Shop) -> None:
        failing(shop)

        bounded = shop("status", "--json", "--max-bytes", "20000").stdout
        whole = json.loads(shop("status", "--json", "--max-bytes", "0").stdout)["services"]
        usual = json.loads(shop("status", "--json").stdout)["services"]

        services = {each["name"]: each for each in json.loads(bounded)["services"]}
        assert len(bounded) < 20_500 < len(json.dumps(whole))
        assert len(services) == SERVICES + 1
        assert services["job7"]["truncated"] is True
        assert services["job7"]["reason"].startswith("exited with code 3 before it was ready: xxx")
        assert services["job7"]["reason"].endswith(" more characters]")
        assert services["web"]["truncated"] is False
        assert not any(each["truncated"] for each in whole + usual)

    def test_has_at_least_the_beginning_of_each_reason(self, shop: Shop) -> None:
        failing(shop)

        lines = shop("status", "--max-bytes", "1").stdout.splitlines()

        assert len(lines) == SERVICES + 1
        assert lines[0].startswith("Job0: ✗ Failed: exited with code 3 before it was ready: xxx")
        assert max(map(len, lines)) < 150

    def test_is_within_64_kib_without_being_asked(self, shop: Shop) -> None:
        for number in range(100):
            shop.service(f"job{number}", command=f"sh -c 'echo Error: {LONG} >&2; exit 3'")
        shop("start")

        assert (
            len(shop("status", "--json").stdout)
            < 66_000
            < len(shop("status", "--json", "--max-bytes", "0").stdout)
        )


class TestWhatIsWrongWithManyServices:
    def test_is_within_64_kib_and_names_every_service(self, shop: Shop) -> None:
        """`wait` has the last lines of each, `doctor` a finding."""
        count = 60
        for number in range(count):
            lines = "; ".join([f"echo Error: {'x' * 1500} >&2"] * 3)
            shop.service(f"job{number}", command=f"sh -c '{lines}; exit 3'")
        shop("start")

        waited, found = shop("wait", "--json"), shop("doctor", "--json")
        everything = shop("wait", "--json", "--max-bytes", "0")
        shown = shop("wait", "--max-bytes", "20000")

        rows = json.loads(waited.stdout)["services"]
        findings = json.loads(found.stdout)["findings"]
        assert len(waited.stdout) < 66_000 < len(everything.stdout)
        assert len(found.stdout) < 66_000
        assert len(shown.stdout) < 21_000
        assert {each["service"] for each in rows} == {f"job{number}" for number in range(count)}
        assert all(each["truncated"] and each["log_tail"] for each in rows)
        assert sum(each["check"] == "services" for each in findings) == count
        assert waited.returncode == everything.returncode == shown.returncode == 1
