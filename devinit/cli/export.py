"""Write the project in the form of another tool: Compose, PM2, a Procfile, systemd, VS Code and others.

It is printed unless -o names a file. The file says where it comes from, is written only when it differs, and is
never replaced once a person has edited it.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from devinit.cli.output import print_json, print_whole_json, table, talk
from devinit.cli.project import root_of
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import SupervisorError, UsageError
from devinit.exporters import BUILT_IN
from devinit.exporters.find import EXPORTERS_OF_PACKAGES, exporter_for
from devinit.exporters.marking import Standing, marked
from devinit.exporters.writing import Target, refuse_edited, target_of
from devinit.exporters.writing import write as write_file
from devinit.masking import masked, masked_data
from devinit.model.resolved import Command, Reader, Resolved
from devinit.model.service import Scheme
from devinit.plug_ins import plug_ins
from devinit.resolving.at_rest import at_rest
from devinit.resolving.resolve import NOTHING_RUNS, Present, resolve
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from devinit.cli.arguments import Arguments
    from devinit.exporters.exporter import Export, Exporter

EXAMPLE = "devinit export compose -o compose.yaml"


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "form", nargs="?", metavar="FORMAT", help=f"one of {', '.join(BUILT_IN)}; none: list them"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write this file, or a folder for a format of several files; its directory is made",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing, and exit with 1 when the file is missing or would differ: for CI",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace a file that was edited, or comes from elsewhere; it is kept as FILE.old",
    )
    parser.add_argument(
        "--dockerfiles",
        action="store_true",
        help="write a Dockerfile beside each program that has none, where the format builds images",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print, write or check an export."""
    if arguments.form is None:
        if arguments.check or arguments.output is not None:
            raise UsageError("`devinit export` needs a format", hint=f"one of {', '.join(BUILT_IN)}")
        return list_formats(as_json=arguments.json)
    exporter = exporter_for(arguments.form)
    root = root_of(arguments)
    resolved = resolved_for(exporter, root)
    export = exporter.render(resolved)
    if arguments.output is None and not arguments.check:
        print_export(exporter, export, resolved, arguments)
        return 0
    targets = targets_of(exporter, export, resolved, arguments)
    return check(targets, arguments) if arguments.check else write(targets, export, resolved, arguments)


def list_formats(*, as_json: bool) -> int:
    """Print the formats, including those of other packages."""
    rows = {**BUILT_IN, **{each.name: f"of {each.title}" for each in plug_ins(EXPORTERS_OF_PACKAGES)}}
    if as_json:
        print_json({"formats": rows})
    else:
        terminal.write(sys.stdout, table(list(rows.items()), header=("FORMAT", "WHAT IT IS")))
    return 0


def resolved_for(exporter: Exporter, root: Path) -> Resolved:
    """Return the resolved project, with the ports on which it runs if it does."""
    is_for_containers = exporter.reader is Reader.CONTAINER
    present = NOTHING_RUNS if is_for_containers else present_in(root)
    return resolve(at_rest(root, as_written=is_for_containers), exporter.reader, present)


def present_in(root: Path) -> Present:
    """Return the current ports and schemes of the services."""
    try:
        client = connect_to_running(root)
        if client is None:
            return NOTHING_RUNS
        with closing(client):
            rows = api.status(client)["services"]
    except SupervisorError as error:
        talk(f"{error.message}; the export has the ports of the last start")
        return NOTHING_RUNS
    ports = {each["name"]: each["port"] for each in rows if each["port"] is not None}
    ports |= {
        extra["name"]: extra["port"]
        for each in rows
        for extra in each.get("extra_ports", [])
        if extra["port"] is not None
    }
    secure = [each["name"] for each in rows if (each["url"] or "").startswith("https:")]
    return Present(ports, dict.fromkeys(secure, Scheme.HTTPS))


def print_export(exporter: Exporter, export: Export, resolved: Resolved, arguments: Arguments) -> None:
    """Print the files of an export, with their names if there are several."""
    files = [*export.files, *(export.beside if arguments.dockerfiles else ())]
    texts = {each.path: marked(each, exporter.name, resolved.source) for each in files}
    if arguments.json:
        shown = [{"path": path, "text": text} for path, text in texts.items()]
        said = masked_data(notes_of(export, resolved, arguments))
        print_whole_json({"format": exporter.name, "files": shown, "notes": said})
        return
    if len(texts) > 1:
        terminal.data("\n".join(f"==> {path} <==\n{text}" for path, text in texts.items()))
    else:
        terminal.data("".join(texts.values()))
    mention(export, resolved, arguments)


def targets_of(exporter: Exporter, export: Export, resolved: Resolved, arguments: Arguments) -> list[Target]:
    """Return the files to write, with the state of the existing ones."""
    base = Path(arguments.output) if arguments.output is not None else resolved.root / exporter.path
    if not exporter.has_several_files and base.is_dir():
        raise UsageError(
            f"-o {base} is a folder", hint=f"name the file: -o {base / Path(exporter.path).name}"
        )
    return [
        target_of(
            base / file.path if exporter.has_several_files else base,
            file,
            exporter.name,
            resolved.source,
            resolved.root,
        )
        for file in export.files
    ]


def check(targets: Sequence[Target], arguments: Arguments) -> int:
    """Report which files would differ. Return 1 if one does."""
    differing = [each for each in targets if each.standing is not Standing.SAME]
    if arguments.json:
        print_json({"format": arguments.form, "files": as_json(targets), "differs": bool(differing)})
    said = {
        Standing.MISSING: "is missing",
        Standing.OUTDATED: "is outdated",
        Standing.EDITED: "was edited since it was exported",
        Standing.FOREIGN: "was not written by `devinit export`",
    }
    for each in differing:
        talk(f"{each.path} {said[each.standing]}")
    if differing:
        output = f" -o {arguments.output}" if arguments.output else f" -o {os.path.relpath(targets[0].path)}"
        talk(f"`devinit export {arguments.form}{output}` writes it")
    return 1 if differing else 0


def write(targets: Sequence[Target], export: Export, resolved: Resolved, arguments: Arguments) -> int:
    """Write the files that differ."""
    if not arguments.force:
        refuse_edited(targets)
    beside = [
        target_of(resolved.root / file.path, file, arguments.form, resolved.source, resolved.root)
        for file in (export.beside if arguments.dockerfiles else ())
    ]
    missing = [each for each in beside if each.standing in (Standing.MISSING, Standing.OUTDATED)]
    everything = [*targets, *(each for each in missing if each.inside is not None)]
    lines = [
        f"{each.path} is not written: it lies outside of the project"
        for each in missing
        if each.inside is None
    ]
    for each in everything:
        if each.standing is Standing.SAME:
            lines.append(f"{each.path} is up to date")
            continue
        kept = write_file(each)
        lines.append(f"{each.path} written")
        if kept is not None:
            lines.append(f"  the former one is kept as {kept.name}")
    if arguments.json:
        print_json(
            {
                "format": arguments.form,
                "files": as_json(everything),
                "notes": notes_of(export, resolved, arguments),
            }
        )
        return 0
    for line in lines:
        talk(line)
    mention(export, resolved, arguments)
    return 0


def as_json(targets: Sequence[Target]) -> list[dict[str, str]]:
    """Return the files with their former state: "missing", "same", "outdated", "edited" or "foreign"."""
    return [{"path": str(each.path), "was": each.standing.name.lower()} for each in targets]


def mention(export: Export, resolved: Resolved, arguments: Arguments) -> None:
    """Print the notes for the user."""
    for note in notes_of(export, resolved, arguments):
        talk(f"  {note}")


def notes_of(export: Export, resolved: Resolved, arguments: Arguments) -> list[str]:
    """Return the notes for the user, one line each."""
    unwritten = () if arguments.dockerfiles else export.without_beside
    return [*export.notes, *unwritten, *secret_commands(resolved)]


def secret_commands(resolved: Resolved) -> list[str]:
    """Return a note for each command with a secret in its words, which is exported unchanged."""
    return [
        f"the command of {each.name} holds a secret, which is written as it stands: put it into a variable"
        for each in resolved.services
        for command in (each.command, *each.before_start)
        if command is not None and holds_secret(command)
    ]


def holds_secret(command: Command) -> bool:
    """Return whether a command contains a secret itself, not just the name of a variable."""
    text = command.line.written(lambda _: "")
    return masked(text) != text
