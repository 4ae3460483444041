"""Specifies that the dashboard ends with its terminal, also where SIGHUP is ignored."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

from tests.cli.conftest import PATIENCE, Shop


class TestTheDashboard:
    def test_ends_with_its_terminal_where_sighup_is_ignored(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        master, slave = pty.openpty()
        dashboard = subprocess.Popen(
            ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *shop.program("dashboard")],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)
        try:
            shown, deadline = b"", time.monotonic() + PATIENCE
            while b"backend" not in shown.lower():
                assert time.monotonic() < deadline
                if select.select([master], [], [], 1.0)[0]:
                    shown += os.read(master, 65536)
            os.close(master)

            dashboard.wait(PATIENCE)
        finally:
            dashboard.kill()
            dashboard.wait()
