"""Run the engine's own compose with the project's file on ports that work; what follows goes to compose.

Published ports that are taken move, as those of services do, and addresses in the file follow. The project's file
stays as it is.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from devinit.cli.composed import leasing, model
from devinit.cli.composed.place import name_in, place_of, root_around
from devinit.cli.composed.program import compose_there, resolved_by
from devinit.cli.composed.words import FOLDERS, MAKING, READING, profiles_of, spoken_in
from devinit.cli.executing import become, run_to_end
from devinit.cli.output import talk
from devinit.cli.project import folder_of
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import ProviderError, SupervisorError, UsageError
from devinit.kinds.docker.finding import socket_of
from devinit.model.names import variable_prefix
from devinit.ports.holder.containers import of_compose
from devinit.system.checkout import claim
from devinit.system.files import write_atomically

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.cli.composed.place import Place
    from devinit.cli.composed.program import Compose
    from devinit.cli.composed.words import Spoken
    from devinit.ports.holder.containers import ComposeContainer

EXAMPLE = "devinit compose -- up -d"
OWN = ("-h", "--help")


class Surroundings(NamedTuple):
    """Where a command was called."""

    root: Path
    start: Path
    engine: str
    """The socket of the engine."""


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return our own options, which stand first, and the words for compose."""
    position = 0
    while position < len(words) and words[position] in ("-C", *OWN):
        position += 1 if words[position] in OWN else 2
    rest = words[position:]
    return words[:position], rest[1:] if rest[:1] == ["--"] else rest


def configure(parser: ArgumentParser) -> None:
    """Add our own options; those of compose never come to the parser."""
    parser.usage = "devinit compose [-h] [-C DIR] [--] COMMAND ..."


def run(arguments: Arguments) -> int:
    """Become compose."""
    words = arguments.command or []
    if not words:
        raise UsageError("`devinit compose` needs a command of compose", hint=f"example: {EXAMPLE}")
    spoken = spoken_in(words)
    compose = compose_there(os.environ)
    if not spoken.command:
        become([*compose.words, *words], {**os.environ})
    start = Path(os.path.abspath(folder_of(arguments)))  # noqa: PTH100 - links stay
    root = root_around(start)
    place = place_of(spoken, start, root, os.environ)
    own = [*compose.words, *place.more, *words]
    if spoken.command in (*MAKING, *READING) and (engine := _engine_here()) is not None:
        return _on_our_ports(compose, spoken, place, Surroundings(root, start, engine))
    if spoken.command != "down":
        become(own, {**os.environ}, str(start))
    code = run_to_end(own, {**os.environ}, str(start))
    if code == 0:
        leasing.given_up(root)
    return code


def _engine_here() -> str | None:
    """Return the socket of the engine; None, and a word about it, when its ports are another machine's."""
    try:
        return socket_of(os.environ)
    except ProviderError as error:
        talk(f"{error.message}: its ports stay as the file has them")
        return None


def _on_our_ports(compose: Compose, spoken: Spoken, place: Place, around: Surroundings) -> int:
    resolved = resolved_by(compose, spoken, place.more, os.environ, around.start)
    if isinstance(resolved, int):
        return resolved
    name = name_in(place, spoken, os.environ, resolved.get("name"))
    containers = of_compose(name, around.engine)
    if spoken.command in MAKING:
        _refuse_containers_of_another(containers, name, place)
    ports = model.published(resolved, model.wanted(resolved, profiles_of(spoken, os.environ), spoken.rest))
    became = leasing.leased(
        ports,
        containers,
        root=around.root,
        project=name,
        environ=os.environ,
        are_made=spoken.command in MAKING,
        say=talk,
    )
    moved = {before: after for before, after in became.items() if after != before}
    changed, followed = model.on_ports(resolved, moved, _moved_services(around.root, became))
    for service, variables in followed.items():
        talk(f"{service}: {', '.join(variables)} {'follow' if len(variables) > 1 else 'follows'}")
    path = f"{claim(around.root)}/compose-{name}.yaml"
    write_atomically(path, model.text_of(changed), mode=0o600, durable=False)
    options = spoken.without("--file", "--project-name", *FOLDERS)
    where = ["--file", path, "--project-name", name, "--project-directory", str(place.folder)]
    words = [*compose.words, *where, *options, spoken.command, *spoken.rest]
    return become(words, {**_addresses(ports, became), **os.environ}, str(around.start))


def _refuse_containers_of_another(containers: list[ComposeContainer], name: str, place: Place) -> None:
    """Raise UsageError where compose would replace the containers of another checkout: it goes by their name."""
    here = os.path.realpath(place.folder)
    others = sorted(
        {each.folder for each in containers if each.folder and os.path.realpath(each.folder) != here}
    )
    if others:
        raise UsageError(
            f"the compose project {name} has containers of {others[0]}, which compose would replace",
            hint=f"give this one a name of its own: `devinit compose -- -p {name}-2 up`, or "
            f"COMPOSE_PROJECT_NAME={name}-2 in its .env",
        )


def _moved_services(root: Path, stated: dict[int, int]) -> dict[int, int]:
    """Return where services are that devinit runs beside, as far as the file publishes nothing there itself."""
    try:
        client = connect_to_running(root)
        if client is None:
            return {}
        with closing(client):
            rows = api.status(client)["services"]
    except SupervisorError:
        return {}
    found = {each["preferred_port"]: each["port"] for each in rows if each["preferred_port"] and each["port"]}
    return {before: after for before, after in found.items() if before != after and before not in stated}


def _addresses(ports: list[model.Published], became: dict[int, int]) -> dict[str, str]:
    """Return names that a file may pass on to containers: `API_PORT` and `API_URL`, as a browser needs them."""
    found: dict[str, str] = {}
    for each in ports:
        prefix, port = variable_prefix(each.service), became.get(each.host, each.host)
        found.setdefault(f"{prefix}_PORT", str(port))
        found.setdefault(f"{prefix}_URL", f"http://localhost:{port}")
    return found
