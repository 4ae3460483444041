"""Specifies formats that other packages bring, on the example in `tests/plug_ins`, which the guide shows too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plug_ins.environment import Environment

EXAMPLE = Path(__file__).parents[1] / "plug_ins" / "devinit-addresses"
MODULE = EXAMPLE / "devinit_addresses" / "__init__.py"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path)
    environment.describe('[services.web]\ncommand = "x"\nport = 3456\n')
    environment.install(EXAMPLE)
    return environment


def test_the_example_is_short() -> None:
    assert len(MODULE.read_text().splitlines()) <= 40


class TestAFormatThatAPackageBrings:
    def test_is_exported_like_any_other(self, environment: Environment) -> None:
        printed = environment("export", "addresses").stdout
        written = environment("export", "addresses", "-o", "ADDRESSES.md")
        checked = environment("export", "addresses", "--check")

        assert printed.splitlines()[-1] == "| web | http://localhost:3456 |"
        assert written.returncode == 0, written
        assert (environment.root / "ADDRESSES.md").read_text() == printed
        assert checked.returncode == 0, checked

    def test_is_listed(self, environment: Environment) -> None:
        assert "addresses        of devinit-addresses 1.0" in environment("export").stdout
        assert json.loads(environment("doctor", "--json").stdout)["plug_ins"] == {
            "addresses": "devinit-addresses 1.0"
        }

    def test_that_is_broken_is_named_with_the_cure(self, environment: Environment) -> None:
        path = environment.packages / "devinit_addresses" / "__init__.py"
        path.write_text(path.read_text().replace("ADDRESSES = ", "OTHER = "))

        done = environment("export", "addresses")
        findings = json.loads(environment("doctor", "--json").stdout)["findings"]

        assert done.returncode == 2
        assert 'the export format "addresses" of devinit-addresses 1.0 cannot be used' in done.stderr
        assert "-m pip uninstall devinit-addresses" in done.stderr
        assert [each["check"] for each in findings if "addresses" in each["problem"]] == ["plug-ins"]

    def test_that_is_gone_is_no_format(self, environment: Environment) -> None:
        environment.remove(EXAMPLE)

        done = environment("export", "addresses")

        assert done.returncode == 2
        assert "there is no export format 'addresses'" in done.stderr
