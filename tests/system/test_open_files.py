"""Specifies `devinit.system.open_files`: who keeps a file open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from devinit.system.open_files import openers_of


class TestAnOpenFile:
    def test_names_who_inherited_it(self, tmp_path: Path) -> None:
        path = tmp_path / "8000.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        program = "print('here', flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-S", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[descriptor],
        ) as heir:
            assert heir.stdout is not None
            heir.stdout.readline()

            found = openers_of(str(path))

            assert [each.pid for each in found] == [heir.pid]
            heir.communicate(b"\n")
        os.close(descriptor)

    def test_leaves_us_out(self, tmp_path: Path) -> None:
        path = tmp_path / "8000.lock"
        with path.open("w"):
            assert openers_of(str(path)) == []

    def test_is_nobodys_when_it_does_not_exist(self, tmp_path: Path) -> None:
        assert openers_of(str(tmp_path / "missing")) == []
