"""Specifies from which port on services may listen: the kernel's word, and no constant."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root can make a network namespace"
)

ASK = """
import os, sys
from devinit.ports.hold import Hold, hold
from devinit.system.privileged import first_port_for

start, user = map(int, sys.argv[1:])
with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
    file.write(str(start))
os.setuid(user)
first = first_port_for(refuses_root=bool(os.environ["REFUSES_ROOT"]))
print(first, isinstance(hold(first), Hold), isinstance(hold(max(1, first - 1)), Hold))
"""


def asked(start: int, *, user: int, refuses_root: bool = False, drop: tuple[str, ...] = ()) -> str:
    """Return the first port, whether it can be had, and whether the one before it can."""
    done = subprocess.run(
        ["unshare", "--net", *drop, sys.executable, "-c", ASK, str(start), str(user)],
        env={**os.environ, "REFUSES_ROOT": "yes" if refuses_root else ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "setpriv" in done.stderr:
        pytest.skip(f"no namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestTheFirstPort:
    def test_of_an_ordinary_user_is_what_the_kernel_says(self) -> None:
        assert asked(1024, user=65534) == "1024 True False"
        assert asked(80, user=65534) == "80 True False"

    def test_is_the_lowest_where_a_container_allows_every_port(self) -> None:
        assert asked(0, user=65534) == "1 True True"

    def test_of_root_is_the_lowest_unless_its_capability_was_dropped(self) -> None:
        without = ("setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service")

        assert asked(1024, user=0) == "1 True True"
        assert asked(1024, user=0, drop=without) == "1024 True False"

    def test_of_a_server_that_root_runs_as_another_user_is_that_user_s(self) -> None:
        assert asked(1024, user=0, refuses_root=True).startswith("1024 ")
