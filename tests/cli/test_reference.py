"""Specifies that the reference pages say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class TestTheReference:
    def test_is_current(self) -> None:
        words = [sys.executable, str(ROOT / "scripts" / "reference_pages"), "--check"]

        done = subprocess.run(words, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
