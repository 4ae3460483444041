"""Print what devinit knows in numbers, of all projects of this machine, as Prometheus reads it."""

from __future__ import annotations

from devinit.cli.output import print_json
from devinit.metrics.collecting import collect
from devinit.metrics.exposition import exposition
from devinit.metrics.families import families
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit metrics > /var/lib/node_exporter/devinit.prom"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print the metrics."""
    found = families(collect())
    if arguments.json:
        print_json(
            {
                "metrics": [
                    {"name": each.name, "kind": each.kind, "labels": {**sample.labels}, "value": sample.value}
                    for each in found
                    for sample in each.samples
                ]
            }
        )
    else:
        terminal.data(exposition(found))
    return 0
