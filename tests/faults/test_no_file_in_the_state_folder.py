"""What commands do where a named pipe or a device stands in the place of a file that devinit keeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of
from tests.supervisor.conftest import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = [("status",), ("logs",), ("doctor",), ("start", "--detach"), ("status",), ("logs",), ("stop",)]


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [os.mkfifo, link_to_a_device])
class TestWhatIsNoFile:
    @pytest.mark.parametrize(
        "name", ["supervisor.lock", "logs/web.log", "logs/web.log.1", "logs/web.times", "pids/web.pid"]
    )
    def test_keeps_no_command_waiting(
        self, shop: Shop, port: int, name: str, make: Callable[[Path], object]
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        shop("stop")
        path = state_of(shop.root) / name
        path.unlink(missing_ok=True)
        make(path)

        for words in COMMANDS:
            said = shop(*words)  # fails when the command does not end

            assert "Traceback" not in said.stderr
            assert "does not answer" not in said.stderr

    @pytest.mark.parametrize("name", ["supervisor.lock", "launch.lock", "ports.lock", "logs/web.log"])
    def test_is_named_by_a_start_that_needs_it(
        self, shop: Shop, port: int, name: str, make: Callable[[Path], object]
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        shop("stop")
        path = state_of(shop.root) / name
        path.unlink()
        make(path)

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        assert f"{path} " in refused.stderr
        assert "not a file" in refused.stderr or "symbolic links" in refused.stderr
