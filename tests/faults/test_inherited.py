"""Faults that a caller hands down: signals that it ignores or blocks, and a umask that takes rights from the owner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

IGNORING = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
BLOCKING = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"
MASKING = "import os; os.umask(0o177)"
SIGNALS = ("SigBlk", "SigIgn")


def under(shop: Shop, caller: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a program starts it that has done something to itself before."""
    begun = f"{caller}; import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", begun, *shop.program(), *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


def signals_of(pid: int) -> dict[str, int]:
    """Return which signals a process blocks and ignores, without those that the C library keeps for itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith(SIGNALS))
    return {name: int(mask, 16) & 0x7FFFFFFF for name, mask in lines.items()}


class TestACallerThatIgnoresTheEndOfItsChildren:
    def test_does_not_make_a_failure_a_success(self, shop: Shop) -> None:
        shop.service("work", "exit=3")

        done = under(shop, IGNORING, "start")

        assert done.returncode == 1
        assert "exited with code 3" in done.stdout + done.stderr


class TestACallerThatBlocksSignals:
    def test_does_not_keep_them_from_services(self, shop: Shop) -> None:
        shop.service("work", "never", ready={"after": 0.1})

        under(shop, BLOCKING, "start")

        [pid] = shop.pids("work")
        assert signals_of(pid)["SigBlk"] == 0
        assert signals_of(shop.supervisor())["SigBlk"] == 0


class TestAUmaskThatTakesRightsFromTheOwner:
    def test_makes_no_folder_that_its_owner_cannot_enter(self, shop: Shop, tmp_path: Path) -> None:
        shop.service("work", "never", ready={"after": 0.1})
        state = tmp_path / "new" / "state"

        done = under(shop, MASKING, "start", XDG_STATE_HOME=str(state))

        shop("stop", XDG_STATE_HOME=str(state))
        assert done.returncode == 0
        # Root, who runs tests in containers, may enter any.
        folders = [each for each in (state, *state.rglob("*"), shop.root / ".devinit") if each.is_dir()]
        assert {oct(each.stat().st_mode & 0o700) for each in folders} == {"0o700"}
