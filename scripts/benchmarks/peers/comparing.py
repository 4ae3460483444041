"""Runs the comparison: installs the peers, measures them in turns, writes the results."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from peers.compiled import Overmind, Pitchfork, ProcessCompose
from peers.measures import SUBJECTS, Bench, Measure
from peers.node import Concurrently, Mprocs, Pm2
from peers.ours import Bare, Devinit
from peers.peer import Missing, Peer
from peers.python import Circus, Honcho, QuickCircus, QuickSupervisord, Supervisord
from peers.report import as_json, plot, table
from peers.unix import S6, Runit

PEERS: tuple[type[Peer], ...] = (
    Bare,
    Devinit,
    ProcessCompose,
    Pitchfork,
    Overmind,
    Mprocs,
    Pm2,
    Concurrently,
    Supervisord,
    QuickSupervisord,
    Circus,
    QuickCircus,
    Honcho,
    S6,
    Runit,
)


def compare(subjects: Sequence[str], runs: int, about: str, output: Path | None) -> None:
    """Measure all peers that can be had, print the tables, and write JSON and a plot into a folder."""
    # So that what a peer has started is ended when the comparison is.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    programs = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "devinit-bench"
    makers: list[Callable[[Path], Peer]] = []
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for kind in PEERS:
        make = partial(kind, programs)
        try:
            peer = make(Path())
            versions[peer.title] = peer.install()
        except Missing as reason:
            missing[make(Path()).title] = str(reason)
            continue
        makers.append(make)
    print("\n".join(f"- {title} {version}" for title, version in versions.items()))
    print("".join(f"- not measured: {title}: {reason}\n" for title, reason in missing.items()), flush=True)
    measures: list[Measure] = []
    # A short path: that of a unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="dvp-", dir="/tmp", ignore_cleanup_errors=True) as work:
        bench = Bench(makers, Path(work))
        for name in subjects or SUBJECTS:
            found = SUBJECTS[name](bench, runs)
            measures += found
            print(table(found, list(versions)), flush=True)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "peers.json").write_text(as_json(measures, versions, missing, about))
        (output / "peers.svg").write_text(plot(measures, list(versions)))
        print(f"written: {output}/peers.json, {output}/peers.svg", file=sys.stderr)
