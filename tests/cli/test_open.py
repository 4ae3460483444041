"""Specifies `devinit open`: the address of now, in the browser that is set up."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shop


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that writes down what it was asked for."""
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/visited\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


class TestAServiceThatRuns:
    def test_is_opened_where_it_is_now(self, shop: Shop, port: int, browser: Path) -> None:
        shop.service("frontend", port=port)
        shop("start", "-d")

        said = shop("open", "frontend", BROWSER=str(browser))

        assert said.returncode == 0
        assert (browser.parent / "visited").read_text() == f"http://localhost:{port}\n"
        assert f"opened http://localhost:{port}" in said.stderr

    def test_has_its_address_printed_where_there_is_no_browser(self, shop: Shop, port: int) -> None:
        shop.service("frontend", port=port)
        shop("start", "-d")

        said = shop("open", "frontend", BROWSER="/no/such/browser", PATH="/nowhere")

        assert said.returncode == 0
        assert said.stdout == f"http://localhost:{port}\n"
        assert "by hand" in said.stderr

    def test_is_told_as_json(self, shop: Shop, port: int, browser: Path) -> None:
        shop.service("frontend", port=port)
        shop("start", "-d")

        said = shop("open", "frontend", "--json", BROWSER=str(browser))

        assert json.loads(said.stdout) == {
            "service": "frontend",
            "url": f"http://localhost:{port}",
            "opened": True,
            "out_of_reach": None,
        }


class TestWhatCannotBeOpened:
    def test_is_a_project_of_which_nothing_runs(self, shop: Shop, port: int) -> None:
        shop.service("frontend", port=port)

        said = shop("open", "frontend")

        assert said.returncode == 1
        assert "devinit start" in said.stderr

    def test_is_a_service_without_a_page(self, shop: Shop, port: int) -> None:
        shop.service("frontend", port=port)
        shop.service("worker", ready={"after": 0.1})
        shop("start", "-d")

        said = shop("open", "worker")

        assert said.returncode == 2
        assert "these have: frontend" in said.stderr

    def test_is_a_service_that_does_not_exist(self, shop: Shop, port: int) -> None:
        shop.service("frontend", port=port)
        shop("start", "-d")

        said = shop("open", "fronted")

        assert said.returncode == 2
        assert "did you mean frontend? services: frontend" in said.stderr
