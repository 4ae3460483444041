"""What is said under `ulimit -f`: the limit is the cause, and neither the disk nor its owner."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.supervisor.conftest import Shop

if TYPE_CHECKING:
    from collections.abc import Sequence


def limited(shop: Shop, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that may write no file. Its output goes into pipes, which the limit does not concern."""
    return subprocess.run(
        ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", *shop.program(), *words],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestALimitOfFileSizes:
    def test_is_named_as_the_cause_of_a_start_that_fails(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)

        refused = limited(shop, ["start", "-d"])

        assert refused.returncode != 0
        assert "File too large" in refused.stderr
        assert "`ulimit -f` shows how large a file may become" in refused.stderr
        assert "on the disk" not in refused.stderr
        assert "make the checkout writable" not in refused.stderr

    def test_is_named_by_a_command_that_writes(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        refused = limited(shop, ["init", "--force"])

        assert refused.returncode != 0
        assert "cannot be written: File too large" in refused.stderr
        assert "`ulimit -f` shows how large a file may become" in refused.stderr

    def test_leaves_no_obstacle_for_the_start_after_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        limited(shop, ["start", "-d"])

        started = shop("start", "-d")

        assert started.returncode == 0, started.stderr
        assert list((shop.root / ".devinit").glob("*.tmp")) == []
