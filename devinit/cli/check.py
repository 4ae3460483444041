"""Ask services once whether they are well; exit code 1 when one does not answer, or its build is broken."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, print_json, symbol
from devinit.cli.project import root_as_text
from devinit.cli.reach import answered, mention_configuration, nothing_runs, require_reach
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.system import terminal
from devinit.text import duration, one_line, pad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.model.status import Checked

EXAMPLE = "devinit check backend"
SWITCHES = {"--json": "json"}
NAMES = "services"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to ask; none: all that are not stopped"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print the result of each service's check."""
    root = root_as_text(arguments)
    names = [] if "all" in arguments.services else arguments.services
    client = connect_to_running(root)
    if client is None:
        raise nothing_runs(root, names)
    _, report = answered(require_reach(client), root, lambda each: api.check(each, names))
    mention_configuration(report)
    if arguments.json:
        print_json(report)
    else:
        paint = Paint(sys.stdout)
        wide = max((len(each["service"]) for each in report["services"]), default=0)
        lines = (line for each in report["services"] for line in lines_of(each, wide, paint))
        terminal.write(sys.stdout, list(lines))
    return 0 if report["well"] else 1


def lines_of(checked: Checked, wide: int, paint: Paint) -> list[str]:
    """Return the lines for one service: its result, and the servers that it uses instead of the project's own."""
    mark = symbol("✗", "x", sys.stdout)
    wrong = [paint.bad(f"{mark} {one_line(each['text'])}") for each in checked.get("wrong_servers", [])]
    return [line_of(checked, wide, paint), *(f"  {each}" for each in wrong)]


def line_of(checked: Checked, wide: int, paint: Paint) -> str:
    """Return the line with the result of one service."""
    name = pad(one_line(checked["service"]), wide)
    if checked["well"]:
        said = "finished" if checked["phase"] == "exited" else f"well after {duration(checked['seconds'])}"
        return f"{paint.good(symbol('✓', '+', sys.stdout))} {name}  {said}"
    detail = one_line((checked["detail"] or "not well").partition("\n")[0])
    return f"{paint.bad(symbol('✗', 'x', sys.stdout))} {name}  {detail}"
