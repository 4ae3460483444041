"""Specifies `devinit.cli.executing`: a program that is run to its end, and the signals on the way."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from devinit.cli.executing import run_to_end


class TestASignal:
    def test_that_comes_while_the_program_is_started_reaches_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class SignalledAtOnce(subprocess.Popen[bytes]):
            # Any: what it is given goes on.
            def __init__(self, *words: Any, **options: Any) -> None:
                super().__init__(*words, **options)
                signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(subprocess, "Popen", SignalledAtOnce)

        assert run_to_end(["sleep", "5"], {**os.environ}) == 128 + signal.SIGTERM

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_to_which_the_program_ends_well_lets_nothing_follow(self, number: signal.Signals) -> None:
        script = f"trap 'exit 0' {number.value}; kill -{number.value} $PPID; while :; do sleep 0.01; done"

        assert run_to_end(["sh", "-c", script], {**os.environ}) == 128 + number

    def test_is_handed_on_once(self) -> None:
        count = (
            "n=0; trap 'n=$((n+1))' TERM; kill -TERM $PPID; for _ in 1 2 3 4 5; do sleep 0.02; done; exit $n"
        )

        assert run_to_end(["sh", "-c", count], {**os.environ}) == 1
