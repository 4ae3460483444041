"""Faults of logs: floods, full disks, readers that do not read, and a supervisor that is gone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of
from tests.supervisor.conftest import wait_until as until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.supervisor.conftest import Shop

LINE_BYTES = 48
COUNTER = """
import os, sys, time
number, pause = 0, float(sys.argv[1])
while True:
    os.write(1, b"%09d a line of a service that prints a lot\\n" % number)
    number += 1
    if pause:
        time.sleep(pause)
    elif number == int(sys.argv[2]):
        break
time.sleep(1000)
"""
"""Prints numbered lines: one after each pause, or so many as fast as it can."""

NOISE = r"""
import os, time
write = lambda data: os.write(1, data)
write(b"x" * 1_000_000 + b"\n")
write(b"caf\xe9 \xff\xfe\n")
write(b"nul \0 here\n")
write(b"lone escape \x1b\n")
write(b"\x1b]0;evil title\x07titled\n")
write(b"".join(b"%d%%\r" % percent for percent in range(101)) + b"\n")
write(b"done\nno line end: ")
time.sleep(1000)
"""


@pytest.fixture
def counting(shop: Shop) -> Callable[..., None]:
    """Describe `web`, a service that counts."""
    (shop.root / "counter.py").write_text(COUNTER)

    def describe(pause: float, most: int = 0, **keys: object) -> None:
        command = f"{sys.executable} -S {shop.root / 'counter.py'} {pause} {most}"
        shop.service("web", **{"command": command, "ready": {"after": 0.01}, **keys})

    return describe


def log_of(shop: Shop) -> Path:
    return state_of(shop.root) / "logs" / "web.log"


def disk_use(shop: Shop) -> int:
    return sum(path.stat().st_blocks * 512 for path in log_of(shop).parent.glob("web.log*"))


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"^(\d{9}) a line", text, re.MULTILINE)]


def numbers_from(follower: subprocess.Popen[str], count: int) -> list[int]:
    """Read lines of a service that counts until there are so many."""
    assert follower.stdout is not None
    seen: list[int] = []
    while len(seen) < count:
        line = follower.stdout.readline()
        assert line, f"it ended after {len(seen)} lines"
        seen += numbers(line)
    return seen


class TestLogs:
    def test_go_on_while_the_supervisor_is_dead_and_are_bounded_by_the_next_one(
        self, shop: Shop, counting: Callable[..., None]
    ) -> None:
        counting(0, 400_000, logs={"size": "1 MB", "count": 2})
        shop.up()
        shop.kill_supervisor()
        until(lambda: log_of(shop).stat().st_size >= 400_000 * LINE_BYTES, log_of(shop))

        shop("status")

        until(lambda: disk_use(shop) <= 2_000_000 + 8192, log_of(shop))
        kept = numbers(shop("logs", "web", "--since", "1h", "--max-bytes", "0").stdout)
        assert kept == list(range(kept[0], 400_000))
        assert len(kept) * LINE_BYTES >= 1_500_000 - 8192

    def test_of_one_long_run_do_not_fill_the_disk_and_lose_no_line_but_the_oldest(
        self, shop: Shop, counting: Callable[..., None]
    ) -> None:
        counting(0, 1_000_000, logs={"size": "1 MB", "count": 3})
        shop.up()
        pid = shop.pids("web")

        until(
            lambda: (
                log_of(shop).stat().st_size >= 1_000_000 * LINE_BYTES and disk_use(shop) <= 3_000_000 + 8192
            ),
            log_of(shop),
        )

        kept = numbers(shop("logs", "web", "--since", "1h", "--max-bytes", "0").stdout)
        assert kept == list(range(kept[0], 1_000_000))
        assert len(kept) * LINE_BYTES >= 2_500_000 - 8192
        # It was neither stopped nor started anew for it.
        assert shop.pids("web") == pid

    def test_are_kept_over_restarts_and_can_be_told_apart_by_run(
        self, shop: Shop, counting: Callable[..., None]
    ) -> None:
        counting(0, 3)
        shop.up()
        until(lambda: len(numbers(shop.log("web"))) == 3, log_of(shop))
        shop("restart", "web")
        until(lambda: len(numbers(shop.log("web"))) == 6, log_of(shop))

        lines = [json.loads(line) for line in shop("logs", "web", "--json").stdout.splitlines()]

        assert numbers("\n".join(line["line"] for line in lines)) == [0, 1, 2, 0, 1, 2]
        runs = list(dict.fromkeys(line["run"] for line in lines))
        assert len(runs) == 2
        assert None not in runs

    def test_are_followed_over_a_restart_without_a_line_twice_or_lost(
        self, shop: Shop, counting: Callable[..., None]
    ) -> None:
        counting(0, 1000, logs={"size": "10 kB", "count": 5})
        shop.up()
        until(lambda: len(numbers(shop.log("web"))) == 1000, log_of(shop))
        follower = subprocess.Popen(
            [*shop.program(), "logs", "web", "-f", "--since", "1h"], stdout=subprocess.PIPE, text=True
        )
        try:
            # Both runs together are more than is kept: the first one has to be read before it gives way.
            before = numbers_from(follower, 1000)
            shop("restart", "web")
            after = numbers_from(follower, 1000)
        finally:
            follower.kill()
            follower.communicate()

        assert before == list(range(1000))
        assert after == list(range(1000))

    def test_of_a_reader_that_does_not_read_block_nobody(
        self, shop: Shop, counting: Callable[..., None]
    ) -> None:
        counting(0, 300_000, logs={"size": "1 MB", "count": 2})
        shop.up()
        follower = subprocess.Popen([*shop.program(), "logs", "web", "-f"], stdout=subprocess.PIPE)
        try:
            until(lambda: log_of(shop).stat().st_size >= 300_000 * LINE_BYTES, log_of(shop))
            until(lambda: disk_use(shop) <= 2_000_000 + 8192, log_of(shop))
            memory = memory_of(follower.pid)
        finally:
            follower.kill()
            follower.communicate()

        assert shop.status()["web"]["phase"] == "ready"
        assert memory < 60_000_000

    def test_hold_whatever_bytes_a_program_prints(self, shop: Shop) -> None:
        (shop.root / "noise.py").write_text(NOISE)
        shop.service("web", command=f"{sys.executable} noise.py", ready={"after": 0.01})
        shop.up()
        until(lambda: "no line end" in shop.log("web"), log_of(shop))

        _, long, *others = shop("logs", "web", "--max-bytes", "0").stdout.splitlines()

        assert long == "x" * 65_536 + "… [934,464 more bytes in the log file]"
        assert others == [
            "caf\ufffd \ufffd\ufffd",
            "nul  here",
            "lone escape ",
            "titled",
            "100%",
            "done",
            "no line end: ",
        ]

    def test_of_silent_services_wake_nobody(self, shop: Shop) -> None:
        shop.service("web", "never", ready={"after": 0.01})
        shop.up()
        supervisor = shop.supervisor()
        # One look, a second after the start, after which nobody needs it any more; then nothing.
        assert 0 in (wake_ups_within(supervisor, 2.0) for _ in range(5))

    def test_that_fail_in_the_set_up_show_its_last_lines_once(self, shop: Shop) -> None:
        shop.service("web", setup=["echo what is wrong; exit 3"], ready={"after": 0.01})

        done = shop("start")

        assert done.returncode == 1
        assert [line for line in done.stderr.splitlines() if line.strip().endswith("what is wrong")] == [
            "  | what is wrong"
        ]


class TestAFullDisk:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
    def test_is_freed_by_the_limit_of_a_log(self, tmp_path: Path, make_shop: Callable[..., Shop]) -> None:
        disk = tmp_path / "small"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False, capture_output=True
        )
        if mounted.returncode != 0:
            pytest.skip("no file system can be mounted here")
        try:
            shop = make_shop(str(disk / "shop"))
            (shop.root / "counter.py").write_text(COUNTER)
            command = f"{sys.executable} -S {shop.root / 'counter.py'} 0.00001 0"
            shop.service("web", command=command, ready={"after": 0.01}, logs={"size": "500 kB", "count": 2})
            shop.up()

            until(lambda: log_of(shop).stat().st_size >= 4_000_000, log_of(shop))

            assert numbers(shop("logs", "web", "-n", "1").stdout)
            shop("stop")
            shop.finish()
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def memory_of(pid: int) -> int:
    """Return how many bytes a process has in memory, at most so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123  read as the kernel gives it
        [peak] = [line for line in status if line.startswith("VmHWM:")]
    return int(peak.split()[1]) * 1024


def wake_ups_within(pid: int, seconds: float) -> int:
    """Return how often a process went to sleep again within some seconds."""

    def switches() -> int:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123  as above
            [line] = [line for line in status if line.startswith("voluntary_ctxt_switches:")]
        return int(line.split()[1])

    before = switches()
    time.sleep(seconds)
    return switches() - before
