"""Print the JSON Schema of devinit.toml, for editors that complete and check it."""

from __future__ import annotations

from devinit.cli.output import talk
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit schema > devinit.schema.json"


def configure(parser: ArgumentParser) -> None:
    """Add the `--json` option, which changes nothing."""
    parser.add_argument("--json", action="store_true", help="it is JSON anyway")


def run(arguments: Arguments) -> int:
    """Print the schema."""
    del arguments
    from devinit.config.json_schema import json_schema  # builds the schema's types
    from devinit.config.plug_ins import usable_kinds
    from devinit.config.schema import COMMON_KEYS

    kinds, broken = usable_kinds(COMMON_KEYS)
    for error in broken:
        talk(error.message)
    terminal.data(json_schema(kinds).decode() + "\n")
    return 0
