"""Open redis-cli on a Redis of the project, with its address and password; what follows goes to redis-cli."""

from __future__ import annotations

import shutil
from urllib.parse import unquote, urlsplit

from devinit.cli import server_clients
from devinit.cli.executing import become
from devinit.cli.server_clients import server_of, setting_for, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from urllib.parse import SplitResult

    from devinit.cli.arguments import Arguments

__all__ = ["EXAMPLE", "configure", "run", "split"]

EXAMPLE = "devinit redis-cli keys 'session:*'"
PROGRAMS = ("redis-cli", "valkey-cli")
"""Either program works with either server."""
USUAL_PORT = 6379
USUAL_USER = "default"
"""The user for a password without a user name; a redis-cli before version 6 does not support users."""
HINT = "install redis-tools or valkey: the server that devinit brings comes without a client"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    server_clients.configure(parser, "redis-cli", has_tests=False)


def run(arguments: Arguments) -> int:
    """Replace this process by redis-cli, or by valkey-cli if there is no redis-cli."""
    service = server_of(arguments, "redis")
    environment, own = setting_for(arguments, service, test=False, needed=("URL",))
    path = environment.get("PATH")
    program = next((each for each in PROGRAMS if shutil.which(each, path=path)), PROGRAMS[0])
    url = urlsplit(own["URL"])
    if url.password:
        environment["REDISCLI_AUTH"] = unquote(url.password)
    elif service.external_url is None:
        # The shell's password is for another server, and would be sent to this one.
        environment.pop("REDISCLI_AUTH", None)
    return become([program, *place_of(url), *(arguments.command or [])], environment, hint=HINT)


def place_of(url: SplitResult) -> list[str]:
    """Return the options that address a server; the password is not among them. Pure."""
    words = ["-h", url.hostname or "localhost", "-p", str(url.port or USUAL_PORT)]
    user = unquote(url.username or "")
    words += ["--user", user] if user not in ("", USUAL_USER) else []
    words += ["-n", database] if (database := url.path.strip("/")) else []
    return [*words, "--tls"] if url.scheme == "rediss" else words
