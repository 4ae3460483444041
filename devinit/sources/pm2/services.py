"""Turn the applications of PM2 into services: each runs the development script of its folder."""

from __future__ import annotations

import os.path
import shlex
from typing import Any

from devinit.model.evidence import Evidence
from devinit.sources.commands.process import Process, problem_of, service_name
from devinit.sources.commands.services import Listing, Numbering, add
from devinit.sources.files import read, seen, table
from devinit.sources.packages import package_manager, read_package
from devinit.sources.pm2.literals import applications
from devinit.sources.source import Found, Weight
from devinit.sources.unreadable import problem_of_text
from devinit.system.bounds import Bounds, not_read
from devinit.toolchains.node.managers import MANAGERS

USUAL_PORT = 3000
SCRIPTS = ("dev", "start:dev", "develop")
"""Development scripts, the preferred one first."""
_INTERPRETERS = {".py": "python", ".rb": "ruby", ".js": "node", ".mjs": "node", ".cjs": "node"}


def found_in(bounds: Bounds, files: tuple[str, ...]) -> Found:
    """Return the applications of the first file that exists."""
    file = next((each for each in files if (bounds.root / each).is_file()), None)
    if file is None:
        return Found()
    path = bounds.root / file
    if target := bounds.target_beyond(path):
        return Found(origin=file, notes=(not_read(path, bounds.root, target),))
    if problem := problem_of_text(path, bounds):
        return Found(origin=file, notes=(f"{file} cannot be read: {problem}",))
    listing = Listing(Weight.PRODUCTION, bounds, Numbering(USUAL_PORT, 0))
    taken: set[str] = set()
    text = read(path, bounds)
    for index, (described, position) in enumerate(applications(text)):
        named = described.get("name")
        name = named if isinstance(named, str) and named.isprintable() and named.strip() else "process"
        place = max(text.find("name", position), position) if isinstance(named, str) else position
        line = seen("command", path, bounds, text, place)
        _add(described, service_name(name, taken), line, index, listing)
    return listing.found(file)


def _add(described: dict[str, Any], name: str, line: Evidence, index: int, listing: Listing) -> None:
    """Add an application, or a note with the reason why it is not started."""
    folder = _folder_of(described, listing.bounds)
    if folder is None:
        listing.note(line.place, f"{name} is left out: its folder is not in the repository")
        return
    command, further = _command_of(described, folder, listing.bounds)
    if not command or problem_of(command):
        listing.note(
            line.place, f"{name} is left out: what it runs is computed, and its folder has no dev script"
        )
        return
    process = Process(
        name=name,
        service=name,
        command=command,
        file=line.file,
        line=line.line,
        index=index,
        folder=folder,
        says=line.says,
        further=further,
    )
    add(process, listing)


def _folder_of(described: dict[str, Any], bounds: Bounds) -> str | None:
    """Return the folder of an application: `cwd`, or the package of its script; None outside of the project."""
    stated, script = described.get("cwd"), described.get("script")
    cwd = os.path.normpath(stated) if isinstance(stated, str) and stated else "."
    if cwd.startswith(("/", "..")) or not os.path.isdir(bounds.root / cwd):  # noqa: PTH112
        return None
    folder = "" if cwd == "." else cwd
    if isinstance(script, str) and "/" in script:
        above = os.path.normpath(os.path.join(folder, os.path.dirname(script)))  # noqa: PTH118, PTH120
        while above not in ("", ".", "..") and not above.startswith(("/", "../")) and above != folder:
            if os.path.isfile(bounds.root / above / "package.json"):  # noqa: PTH113
                return above
            above = os.path.dirname(above)  # noqa: PTH120
    return folder


def _command_of(described: dict[str, Any], folder: str, bounds: Bounds) -> tuple[str, tuple[Evidence, ...]]:
    """Return the development command of an application and further evidence for it; "" without a command."""
    path = bounds.root / folder
    package = read_package(path, bounds) or {}
    scripts = table(package, "scripts")
    script = next((each for each in SCRIPTS if isinstance(scripts.get(each), str)), None)
    if script is not None:
        file = path / "package.json"
        text = read(file, bounds)
        line = seen("command", file, bounds, text, max(text.find(f'"{script}"'), 0))
        return f"{package_manager(bounds, path, package)} run {script}", (line,)
    words, arguments = described.get("script"), described.get("args", "")
    if isinstance(arguments, list):
        arguments = " ".join(each for each in arguments if isinstance(each, str))
    if not isinstance(words, str) or not isinstance(arguments, str):
        return "", ()
    interpreter = _INTERPRETERS.get(os.path.splitext(words)[1], "")  # noqa: PTH122
    stated = described.get("interpreter")
    if isinstance(stated, str) and stated != "none" and words not in MANAGERS:
        interpreter = stated
    return " ".join(filter(None, (interpreter, shlex.quote(words), arguments))), ()
