"""`devinit ports free`: show the holder of a port, and end it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from devinit.cli.asking import can_ask
from devinit.cli.choices import POINTER
from devinit.cli.output import Paint, columns_of, print_json, size_of, talk
from devinit.cli.port_facts import facts_of, heading
from devinit.cli.project import folder_of
from devinit.config.shown import root_around
from devinit.errors import PortConflict
from devinit.model.port_words import kill_text
from devinit.ports.ending.freeing import free
from devinit.ports.holder.who import is_looked_after, who
from devinit.ports.leases import LeaseStore, root_name
from devinit.system import terminal
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments
    from devinit.control.wire import Json
    from devinit.model.port import PortReport


def run(arguments: Arguments) -> int:
    """Free a port: refuse if the holder must not be ended, and end only holders that were shown."""
    root = root_around(folder_of(arguments))
    report = who(arguments.port, root)
    if report is None or report.kind in ("reserved", "assigned"):
        # There is no process to end: a start that needs the port asks about the reservation.
        tell(arguments, (), but=f", and {report.summary}" if report else "")
        return 0
    if not arguments.json:
        show(report)
    if not report.killable:
        raise refusal(report, report.advice)
    if not arguments.force:
        confirm(report, arguments)
    here = root_name(root) if root else ""
    freed = free(
        report.port,
        root=here,
        store=LeaseStore(state_directory() / "leases"),
        looked_after=is_looked_after(here),
        holders=[each.identity for each in report.holders],
        say=talk,
    )
    tell(arguments, freed.ended)
    return 0


def show(report: PortReport) -> None:
    """Print the facts about the port to standard error, where the question follows."""
    paint, columns = Paint(sys.stderr), columns_of(sys.stderr)
    facts: Json = msgspec.to_builtins(report)
    lines = [*heading(facts, paint, columns), *facts_of(facts, paint, columns), ""]
    terminal.write(sys.stderr, lines)


def refusal(report: PortReport, hint: str) -> PortConflict:
    """Return the error that names the holder, with all facts for `--json`."""
    message = f"port {report.port} is {report.summary}"
    return PortConflict(message, hint=hint, conflicts=[msgspec.to_builtins(report)])


def confirm(report: PortReport, arguments: Arguments) -> None:
    """Ask whether to end the holders; raise PortConflict unless the user agrees."""
    if not can_ask(arguments):
        raise refusal(report, "there is no terminal to ask at: --force ends it")
    from devinit.cli.prompts import select  # 80 ms, only for a question

    columns, _ = size_of(sys.stderr)
    holders: list[Json] = msgspec.to_builtins(report.holders)
    text = kill_text(holders, report.ends, columns - POINTER)
    choices = [("kill", text), ("abort", "leave it alone")]
    # Enter alone ends only an orphan that devinit itself started.
    default = "kill" if report.kind == "orphan" else "abort"
    if select(f"End what holds port {report.port}?", choices, default) != "kill":
        raise PortConflict(f"port {report.port} is {report.summary}", hint="nothing was ended")


def tell(arguments: Arguments, ended: tuple[str, ...], but: str = "") -> None:
    """Report that the port is free, and which processes were ended."""
    if arguments.json:
        print_json({"port": arguments.port, "free": True, "ended": list(ended)})
        return
    after = f": ended {', '.join(ended)}" if ended else but
    talk(f"port {arguments.port} is free{after}")
