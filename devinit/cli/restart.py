"""Stop services and bring them up again with the configuration and the environment of now."""

from __future__ import annotations

from devinit.cli.project import root_as_text
from devinit.cli.start import DEFAULTS, NAMES, SWITCHES, bring_up, configure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit restart backend"

__all__ = ["DEFAULTS", "EXAMPLE", "NAMES", "SWITCHES", "configure", "run"]


def run(arguments: Arguments) -> int:
    """Restart services; return the exit code that they add up to."""
    return bring_up("restart", root_as_text(arguments), arguments)
