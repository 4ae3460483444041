"""Write a devinit.toml that lies over what was detected, with that as comments, for you to edit.

It is written where `devinit start` would start: for a folder of a project, in the project.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from devinit.cli.output import print_json, talk
from devinit.cli.project import folder_of
from devinit.errors import DevinitError, StateFileError, UsageError
from devinit.model.names import CONFIGURATION_FILE, DISCOVERY_FILE, ENVIRONMENT_FILE, PORTS_FILE
from devinit.system import terminal
from devinit.system.files import read_bytes, write_atomically
from devinit.system.former import keep_former, rights_of
from devinit.system.state_folders import state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable
    from types import ModuleType

    from devinit.cli.arguments import Arguments
    from devinit.model.service import Project, Service

EXAMPLE = "devinit init"
WRITTEN = (ENVIRONMENT_FILE, PORTS_FILE, DISCOVERY_FILE)
"""Files that a start writes beside devinit.toml. `.devinit/` has its own .gitignore."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--print", action="store_true", dest="shown", help="print it instead of writing it")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="print what would be started, each service with the lines that it was read from; writes nothing",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace a devinit.toml that is there; it is kept as devinit.toml.old",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="write down everything that was found; from then on only the file counts",
    )
    parser.add_argument(
        "--here", action="store_true", help="make this folder a project of its own, whatever lies above it"
    )
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing at a terminal: the safe answer to each doubt counts"
    )
    parser.add_argument(
        "--json", action="store_true", help="print what was written or explained as one JSON object"
    )


def run(arguments: Arguments) -> int:
    """Detect the services of the project and write them to devinit.toml."""
    # No other command needs detection in a configured project.
    from devinit.cli.explained import evidence_of
    from devinit.config.absence import looked_for
    from devinit.config.detected import detect
    from devinit.config.initial import initial_toml
    from devinit.config.load import load

    folder = Path(folder_of(arguments)).absolute()
    root = folder if arguments.here else project_of(folder)
    path = root / CONFIGURATION_FILE
    if arguments.explain:
        explain(load(root) if path.exists() else detect(root), as_json=arguments.json)
        return 0
    asks = asks_somebody(arguments)
    if path.exists() and not arguments.shown and not (asks and path.parent == folder):
        refuse_to_replace(path, folder, force=arguments.force)
    found = detect(root)
    project = named_like_its_data(found)
    left_out = init_dialog().left_out_of(project, left_out_before(root, project)) if asks else ()
    beneath = None if arguments.full else found
    text = initial_toml(project, beneath, secrets_beside(found), left_out)
    if asks and path.exists() and not arguments.force and not is_replaced(path, text, root):
        return 0
    if arguments.shown:
        terminal.data(text)
        tell(project.notes)
        return 0
    kept = keep_what_differs(path, text, root)
    write_atomically(path, text, mode=rights_of(path), inside=root, keeps_owner=True)
    if arguments.json:
        written = {"path": str(path), "services": list(project.services), "notes": list(project.notes)}
        evidence = {name: evidence_of(name, project) for name in project.services}
        print_json({**written, "evidence": evidence, "kept": str(kept) if kept else None})
        return 0
    names = (
        ", ".join(each for each in project.services if each not in left_out)
        or "no services were found: the file has examples"
    )
    talk(f"{path} written: {names}")
    if kept is not None:
        talk(f"  the former one is kept as {kept.name}")
    if not project.services:
        talk("\n".join(f"  {line}" for line in looked_for()))
    tell((*project.notes, *ignoring(root)))
    return 0


def asks_somebody(arguments: Arguments) -> bool:
    """Return whether to ask questions: a user is at a terminal, and no option forbids it."""
    is_quiet = arguments.yes or arguments.shown or arguments.json
    return not is_quiet and init_dialog().is_at_a_terminal()


def left_out_before(root: Path, project: Project) -> tuple[str, ...]:
    """Return the detected services that an existing, readable devinit.toml leaves out."""
    from devinit.config.load import load  # as in `run`

    if not (root / CONFIGURATION_FILE).exists():
        return ()
    with suppress(DevinitError):
        configured = load(root).services
        return tuple(name for name in project.services if name not in configured)
    return ()


def init_dialog() -> ModuleType:
    """Return the dialogue module, imported late: only its questions need `difflib` and the prompts."""
    from devinit.cli import init_dialog  # see above

    return init_dialog


def is_replaced(path: Path, text: str, root: Path) -> bool:
    """Ask whether to replace an existing file and return the answer; say so when it stays."""
    former = (read_bytes(path, inside=root) or b"").decode(errors="replace")
    if former == text:
        talk(f"{path} says what is detected now: nothing was written")
        return False
    if not init_dialog().is_replaced(path.name, former, text):
        talk("nothing was written")
        return False
    return True


def tell(notes: Iterable[str]) -> None:
    """Print notes for the developer, indented."""
    for note in notes:
        talk(f"  {note}")


def explain(project: Project, *, as_json: bool) -> None:
    """Print the services that were found, with the evidence for each."""
    from devinit.cli import explained  # needed for this option only
    from devinit.config.absence import looked_for
    from devinit.resolving.known_secrets import mask_of_project

    mask = mask_of_project(project)
    if as_json:
        print_json(mask.in_data(explained.as_json(project)))
        return
    if project.services:
        terminal.write(sys.stdout, explained.explanation(project, mask))
    else:
        talk("\n".join(("no services were found", *(f"  {line}" for line in looked_for()))))
    tell(project.notes)


def project_of(folder: Path) -> Path:
    """Return the project that `devinit start` in a folder would start; without one, the folder itself."""
    from devinit.config.shown import root_around  # as in `run`, here and below

    return Path(root_around(str(folder)) or folder)


def secrets_beside(project: Project) -> dict[str, str]:
    """Return the secrets in the `.env` files of a project, as `secrets_of` returns them."""
    from devinit.config.env_files import given_env_files, loaded_env_files  # as in `run`
    from devinit.config.secrets import secrets_of
    from devinit.errors import ConfigError
    from devinit.runtime.dotenv import stated_in

    values: dict[str, str] = {}
    services = project.services.values()
    files = (
        path
        for each in services
        for path in (*given_env_files(project.root, each), *loaded_env_files(project.root, each))
    )
    for path in dict.fromkeys(files):
        if path.is_file():  # a named pipe must not be drained: its content is for a service
            with suppress(ConfigError):
                values |= {name: each.value for name, each in stated_in((path,), caller={}).items()}
    return secrets_of(values)


def named_like_its_data(project: Project) -> Project:
    """Return a detected project in which existing databases keep their name and user.

    Both default to the name of the folder, which may have been different when the database was created.
    """
    from msgspec.structs import replace  # as in `run`, here and below

    services = {name: named_like_data(service, project) for name, service in project.services.items()}
    return replace(project, services=services)


def named_like_data(service: Service, project: Project) -> Service:
    """Return a service with the names in its data; unchanged if there is no data or it cannot be read."""
    from devinit.kinds.providers import PROVIDERS, Place  # as in `run`

    place = Place(
        project=project.name,
        root=project.root,
        data=Path(state_folder(project.root), "data"),
        environment=dict(os.environ),
    )
    with suppress(DevinitError):
        return PROVIDERS[service.provider].with_kept_names(service, place)
    return service


def refuse_to_replace(path: Path, folder: Path, *, force: bool) -> None:
    """Raise UsageError for an existing devinit.toml, unless `force` is set and it lies in this very folder."""
    if path.parent != folder:
        raise UsageError(
            f"{folder} is a part of the project {path.parent}, which has a {CONFIGURATION_FILE}",
            hint="`devinit init --here` makes this folder a project of its own",
        )
    if not force:
        raise UsageError(f"{path} exists already", hint="edit it, or replace it with `devinit init --force`")


def keep_what_differs(path: Path, text: str, root: Path) -> Path | None:
    """Copy a devinit.toml before it is replaced, as it may be handwritten. Return the path of the copy.

    Return None when there is no file, or one with the same text.
    """
    former = read_bytes(path, inside=root)
    if former is None or former == text.encode():
        return None
    return Path(keep_former(path, former))


def ignoring(root: Path) -> list[str]:
    """Add the files that a start writes to .gitignore, since one holds passwords; return notes about it."""
    if not (root / ".git").exists():
        return []
    path = root / ".gitignore"
    try:
        text = (read_bytes(path, inside=root) or b"").decode()
        missing = [name for name in WRITTEN if name not in text.split()]
        if missing:
            content = with_lines(text, missing)
            write_atomically(path, content, mode=rights_of(path), inside=root, keeps_owner=True)
    except (StateFileError, UnicodeDecodeError):
        return [f"add to .gitignore: {', '.join(WRITTEN)}"]
    return [f"added to .gitignore: {', '.join(missing)}"] if missing else []


def with_lines(text: str, lines: Iterable[str]) -> str:
    """Append lines to a text, with the line ends that the text already has."""
    newline = "\r\n" if "\r\n" in text else "\n"
    begun = text if not text or text.endswith("\n") else text + newline
    return begun + "".join(line + newline for line in lines)
