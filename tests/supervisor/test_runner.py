"""Specifies `devinit.supervisor.runner` where no process is needed: what counts as a port that is taken."""

from __future__ import annotations

import pytest

from devinit.errors import ServiceError
from devinit.supervisor.runner import IN_USE, explain


class TestTheOutputOfAProgramThatCouldNotBind:
    @pytest.mark.parametrize(
        "line",
        [
            "OSError: [Errno 98] Address already in use",
            "ERROR:    [Errno 98] error while attempting to bind on address: address already in use",
            "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000",
            "Error: Port 5173 is already in use",
            "Error: That port is already in use.",
            "Web server failed to start. Port 8080 was already in use.",
            "Port 5000 is in use by another program.",
            "error: Failed to start server. Is port 3000 in use?",
            "Something is already running on port 3000.",
            "error: Uncaught (in promise) AddrInUse: Address already in use (os error 98)",
            "listen tcp 127.0.0.1:8080: bind: address already in use",
            "Only one usage of each socket address is normally permitted.",
            "** (EXIT) :eaddrinuse",
        ],
    )
    def test_is_recognised(self, line: str) -> None:
        assert IN_USE.search(f"starting\n{line}\n")

    @pytest.mark.parametrize(
        "line",
        [
            "listening on port 3000",
            "relation already exists",
            "the portal is in use by two clients",
            "password authentication failed",
            "ModuleNotFoundError: No module named 'app'",
        ],
    )
    def test_is_not_taken_for_it(self, line: str) -> None:
        assert not IN_USE.search(line)


class TestAnError:
    def test_is_told_with_what_to_do(self) -> None:
        assert explain(ServiceError("it broke", hint="mend it")) == "it broke\nmend it"
        assert explain(ServiceError("it broke")) == "it broke"
