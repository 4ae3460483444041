"""Open psql on a database of the project, with its address, role and password; what follows goes to psql."""

from __future__ import annotations

from devinit.cli import server_clients
from devinit.cli.executing import become
from devinit.cli.server_clients import server_of, setting_for, split
from devinit.kinds import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

__all__ = ["EXAMPLE", "configure", "run", "split"]

EXAMPLE = "devinit psql -c 'select count(*) from orders'"
HINT = "`devinit start {name}` brings the one of its server, or install the client of PostgreSQL"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    server_clients.configure(parser, "psql", has_tests=True)


def run(arguments: Arguments) -> int:
    """Replace this process by psql."""
    service = server_of(arguments, "postgres")
    environment, own = setting_for(arguments, service, test=arguments.test, needed=("HOST", "PORT"))
    names = kind_of(service).client_names
    environment |= names.of(service, own) if names is not None else {}
    return become(["psql", *(arguments.command or [])], environment, hint=HINT.format(name=service.name))
