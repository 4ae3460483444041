"""Tasks that turbo runs before a task: `dependsOn` in turbo.json names tasks of the same and of used packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from devinit.model.evidence import Evidence
from devinit.sources.commands.workspace import Package
from devinit.sources.files import read, seen, table
from devinit.sources.jsonc import parse_jsonc
from devinit.system.bounds import Bounds

FILES = ("turbo.json", "turbo.jsonc")


def tasks_before(task: str, bounds: Bounds) -> Iterator[tuple[str, Evidence]]:
    """Yield the tasks that turbo runs before a task, with their lines; `^build` is the build of used packages."""
    for name in FILES:
        path = bounds.root / name
        text = read(path, bounds)
        if not text:
            continue
        described = parse_jsonc(text)
        tasks = table(described, "tasks") or table(described, "pipeline")
        stated = table(tasks, task).get("dependsOn")
        for each in stated if isinstance(stated, list) else ():
            if isinstance(each, str) and each.removeprefix("^") not in ("", task):
                yield each, _line(each, path, text, bounds)
        return


def before_task(
    before: str, chosen: Sequence[Package], used: Sequence[Package], scripts_of_root: dict[str, str]
) -> str:
    """Return the command for a task that turbo runs before a task of the chosen packages; "" when it runs none.

    `used` holds the packages that the chosen ones use, without the chosen ones.
    """
    package, is_of_one, name = before.rpartition("#")
    if package == "//":
        return f"npm run {name}" if name in scripts_of_root else ""
    plain = name.removeprefix("^")
    among = used if before.startswith("^") else chosen
    having = [each for each in among if plain in each.scripts and (not is_of_one or each.name == package)]
    if is_of_one and not having:
        having = [each for each in (*chosen, *used) if each.name == package and plain in each.scripts]
    filters = "".join(f" --filter={each.name}" for each in having if re.fullmatch(r"[@\w./-]+", each.name))
    return f"turbo run {plain}{filters}" if filters and re.fullmatch(r"[\w:.-]+", plain) else ""


def _line(task: str, path: Path, text: str, bounds: Bounds) -> Evidence:
    return seen("command", path, bounds, text, max(text.find(f'"{task}"'), 0))
