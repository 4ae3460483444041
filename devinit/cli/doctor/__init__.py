"""Look for problems, explain them, and offer to fix them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.cli.asking import can_ask
from devinit.cli.doctor import exposure, files, leftovers, machine, plug_ins, services
from devinit.cli.doctor.extensions import extensions
from devinit.cli.doctor.finding import Finding
from devinit.cli.doctor.surroundings import surroundings
from devinit.cli.doctor.toolchains import toolchains
from devinit.cli.doctor.watching import watched_files
from devinit.cli.output import Paint, print_json, symbol, talk
from devinit.cli.project import folder_of
from devinit.config.shown import root_around
from devinit.control.neighbours import neighbours
from devinit.control.ownership import other_starter
from devinit.errors import DevinitError
from devinit.system import terminal
from devinit.system.state_folders import state_folder
from devinit.text import plain

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.wire import Json

EXAMPLE = "devinit doctor --fix"
WELL, SICK = 0, 1

Check = Callable[[], Iterator[Finding]]


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--fix", action="store_true", help="put right what can be, without asking")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Check the project and the machine; return 0 when no problem was found or all are fixed."""
    root = root_around(folder_of(arguments))
    place = Path(root) if root else None
    # All other checks read from these folders. Without them, every check would repeat the same problem.
    first: dict[str, Check] = {"folders": machine.folders}
    rows = looked_at(first, arguments)
    checks = checks_without_records(place) if any(map(is_left, rows)) else checks_of(place)
    folder = state_folder(root) if root and not any(map(is_left, rows)) else None
    if root and other_starter(root):
        folder = None  # the user who started the project has another folder
    if folder is not None and not arguments.json:
        terminal.write(sys.stdout, [plain(f"  {root} keeps its logs and data in {folder}")])
    rows += looked_at(checks, arguments)
    brought = plug_ins.titles()
    if arguments.json:
        # Only JSON is bounded: a person reads the whole output.
        from devinit.cli.bounds import STATUS_BYTES, bound_of, rows_within, size_as_json

        most = bound_of(None, STATUS_BYTES)
        print_json(
            {
                "root": root,
                "folder": folder,
                "checks": [*first, *checks],
                "plug_ins": brought,
                "findings": rows_within(rows, most, size_as_json) if most else rows,
            }
        )
    else:
        terminal.write(sys.stdout, [plain(f"  {name} is of {title}") for name, title in brought.items()])
    if root is None and not arguments.json:
        talk("there is no project here: only the machine was looked at")
    return SICK if any(map(is_left, rows)) else WELL


def looked_at(checks: dict[str, Check], arguments: Arguments) -> list[Json]:
    """Run checks, apply the fixes that the user wants, and return the findings."""
    rows = []
    for name, check in checks.items():
        found = examine(name, check)
        if not arguments.json:
            show(name, found)
        rows += [row_of(finding, cured=cure(finding, arguments)) for finding in found]
    return rows


def is_left(row: Json) -> bool:
    """Whether a finding is a problem that is not fixed."""
    return not (row["harmless"] or row["cured"])


def checks_without_records(root: Path | None) -> dict[str, Check]:
    """Return the checks that work without devinit's own folders."""
    of_machine: dict[str, Check] = {"limits": machine.limits, "plug-ins": plug_ins.broken}
    if root is None:
        return of_machine
    return {
        "configuration": partial(files.configuration, root),
        "ports": partial(machine.ports, root),
        "surroundings": partial(surroundings, root),
        "toolchains": partial(toolchains, root),
        **of_machine,
    }


def checks_of(root: Path | None) -> dict[str, Check]:
    """Return all checks; a check whose findings explain those of another one comes first."""
    # Query each supervisor once, all in parallel: one that hangs takes seconds to detect.
    asking = ThreadPoolExecutor()
    survey = asking.submit(neighbours)
    of_machine: dict[str, Check] = {
        "limits": machine.limits,
        "plug-ins": plug_ins.broken,
        "neighbours": lambda: leftovers.of_machine(survey.result(), root),
        "gone": leftovers.forgotten,
    }
    if root is None:
        return of_machine
    answer = asking.submit(files.knock, root)
    return {
        "configuration": partial(files.configuration, root),
        "state": partial(files.state, root),
        "disk": partial(files.disk, root),
        "ports": partial(machine.ports, root),
        "watching": lambda: watched_files(root, answer.result()),
        "databases": partial(exposure.databases, root),
        "extensions": partial(extensions, root),
        "surroundings": partial(surroundings, root),
        "toolchains": partial(toolchains, root),
        "supervisor": lambda: files.supervisor(root, answer.result()),
        "services": lambda: services.services(answer.result()),
        "leftovers": lambda: chain(
            leftovers.of_earlier_versions(root), leftovers.of_project(root, answer.result())
        ),
        **of_machine,
    }


def examine(name: str, check: Check) -> list[Finding]:
    """Run a check; a check that fails is a finding, too."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except DevinitError as error:
        found.append(Finding(check=name, problem=error.message, advice=error.hint or ""))
    except OSError as error:
        found.append(Finding(check=name, problem=f"this cannot be looked at: {told(error)}"))
    return found


def show(name: str, found: list[Finding]) -> None:
    """Print the result of a check."""
    paint = Paint(sys.stdout)
    if not found:
        terminal.write(sys.stdout, [f"{paint.good(symbol('✓', '+', sys.stdout))} {name}"])
    for finding in found:
        mark = symbol("·", "-", sys.stdout) if finding.harmless else symbol("⚠", "!", sys.stdout)
        advice = [f"    {line}" for line in plain(finding.advice).splitlines()]
        terminal.write(sys.stdout, [f"{paint.attention(mark)} {name}: {plain(finding.problem)}", *advice])


def cure(finding: Finding, arguments: Arguments) -> bool:
    """Fix a finding if it has a fix that the user wants; return whether it is fixed."""
    if finding.cure is None:
        return False
    if not arguments.fix and not (can_ask(arguments) and confirm(f"May I {finding.cure.offer}?")):
        if not arguments.json:
            talk(f"    `devinit doctor --fix` would {finding.cure.offer}")
        return False
    try:
        done = finding.cure.carry_out()
    except DevinitError as error:
        talk(f"    not done: {error.message}")
        return False
    except OSError as error:
        talk(f"    not done: {told(error)}")
        return False
    if not arguments.json:
        talk(f"    {done}")
    return True


def told(error: OSError) -> str:
    """Return the system's reason for an error, after the file that it concerns."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def confirm(question: str) -> bool:
    """Ask the user a yes-or-no question."""
    from devinit.cli.prompts import select  # the prompt library takes longer to load than everything else

    return select(question, [("no", "no"), ("yes", "yes")]) == "yes"


def row_of(finding: Finding, *, cured: bool) -> Json:
    """Return a finding as a JSON object."""
    return {
        "check": finding.check,
        "problem": finding.problem,
        "advice": finding.advice,
        "harmless": finding.harmless,
        "cure": finding.cure.offer if finding.cure else None,
        "cured": cured,
    }
