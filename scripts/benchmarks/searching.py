"""Time to find ports, measured in this process, as the supervisor does it."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

from measuring import Row, median, timed, with_spread

from devinit.model.port import ConflictPolicy, PortRequest
from devinit.ports.granting.grants import grant
from devinit.ports.leases import LeaseStore

FIRST_PORT = 22000
SEARCHED = 100
SEARCH_MILLISECONDS = 20


def search(runs: int) -> list[Row]:
    """Take four free ports; find the one free port after 99 taken ones."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as strangers:
        root = Path(folder)
        store = LeaseStore(root / "leases")

        def take(*preferred: int) -> float:
            requests = [
                PortRequest(service=f"s{port}", preferred=port, first=port, last=port + SEARCHED - 1)
                for port in preferred
            ]
            granted = []

            def act() -> None:
                granted.extend(
                    grant(
                        requests, root=root, project="bench", environ={}, remembered={},
                        policy=ConflictPolicy.MOVE, store=store,
                    )
                )  # fmt: skip

            milliseconds = timed(act)
            for each in granted:
                each.close(keep_reservation=False)
            return milliseconds

        four = [take(*(FIRST_PORT + 1000 + 200 * number for number in range(4))) for _ in range(runs * 3)]
        for port in range(FIRST_PORT, FIRST_PORT + SEARCHED - 1):
            strangers.enter_context(socket.create_server(("127.0.0.1", port)))
        hundred = [take(FIRST_PORT) for _ in range(runs * 3)]
    return [
        Row("four free ports: leased and held", with_spread(four), "", "", None),
        Row(
            f"a search of {SEARCHED} ports, {SEARCHED - 1} of them taken",
            with_spread(hundred),
            "",
            f"{SEARCH_MILLISECONDS} ms",
            median(hundred) <= SEARCH_MILLISECONDS,
        ),
    ]
