"""Drop what this machine remembers of a stopped project: ports, its place on the list, its worktree's number.

Without DIR it is the project in the current folder. DIR may have been deleted: its logs and data are deleted then.
Those of a project that is still there stay, unless `--data` is given; what lies in its folder always stays.
Start a project that was moved in its new place first: that takes its logs and data along.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.project import current_directory
from devinit.config.shown import root_around
from devinit.control import checkouts
from devinit.control.forgetting import Forgotten, forget
from devinit.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit forget ~/old/shop"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("folder", nargs="?", metavar="DIR", help="the project's folder, which may be gone")
    parser.add_argument("--data", action="store_true", help="delete its logs and its databases as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Forget a project, and report which records were dropped."""
    done = forget(root_of(arguments), data=arguments.data)
    if arguments.json:
        print_json(
            {
                "root": done.root,
                "ports": list(done.ports),
                "listed": done.listed,
                "slot": done.slot,
                "chosen": done.chosen,
                "folders": list(done.folders),
                "bytes": done.bytes,
                "moved_to": done.moved_to,
            }
        )
    else:
        talk(told(done))
    return 0


def root_of(arguments: Arguments) -> str:
    """Return the folder to forget: the given one if it is on record, else the root of the project around it."""
    if arguments.folder == "":
        # Most likely an empty variable in a script, which does not mean the project of the current folder.
        raise UsageError("the folder to forget is empty", hint="without DIR it is the project around you")
    base = arguments.directory or current_directory()
    folder = os.path.abspath(os.path.join(base, arguments.folder or ""))  # noqa: PTH100, PTH118  paths are text here
    if checkouts.recorded_at(folder) is not None or not os.path.isdir(folder):  # noqa: PTH112
        return folder
    return root_around(folder) or folder


def told(done: Forgotten) -> str:
    """Return a message about the dropped and the kept records."""
    kept = f"its logs and data stay: it was moved to {done.moved_to}" if done.moved_to else ""
    if done.is_nothing:
        return "; ".join(filter(None, [f"nothing is on record about {done.root}", kept]))
    noun = "port" if len(done.ports) == 1 else "ports"
    parts = [
        f"{noun} {', '.join(map(str, done.ports))}" if done.ports else "",
        "the ports chosen by hand" if done.chosen else "",
        "its place on the list of projects" if done.listed else "",
        f"worktree number {done.slot}" if done.slot is not None else "",
        f"its logs and data ({done.bytes / 1e6:.1f} MB)" if done.folders else "",
    ]
    dropped = f"dropped the records of {done.root}: {', '.join(filter(None, parts))}"
    return "; ".join(filter(None, [dropped, kept]))
