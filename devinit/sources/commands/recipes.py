"""Parse the targets of a Makefile, a justfile or a Taskfile, with their commands and descriptions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from devinit.sources.yaml_nodes import Node, Sequence, listed, mapping_of, parsed, text_of

_RULE = re.compile(r"([A-Za-z][\w-]{0,60})[ \t]{0,20}::?(?![:=])([^\n]{0,500})\Z")
"""Matches a rule of make for one target that is not named like a file."""
_ASSIGNED = re.compile(r"[ \t]{0,20}[\w.-]{1,60}[ \t]{0,20}[?+:!]{0,3}=")
"""Matches the value of a variable for this target alone, after the colon."""
_RECIPE = re.compile(r"@?([A-Za-z][\w-]{0,60})(?=[\s:])[^:\n]{0,300}:(?!=)")
"""Matches a recipe of just with its parameters; a name that begins with `_` is private."""
_MARK = re.compile(r"(?:^|[ \t])##[ \t]{0,20}(\S[^\n]{0,300})\Z")
"""Matches the conventional description of a target of make: `test: deps  ## Run the tests`."""
_TASK = re.compile(r"[A-Za-z][\w:.-]{0,60}")
_QUIET = " \t@-+"
"""Characters that may precede a command."""


class Recipe(Struct, frozen=True):
    """A target that a developer runs by its name."""

    name: str
    line: int
    """Counted from 1."""
    commands: tuple[str, ...] = ()
    """Empty for a target that only has dependencies."""
    description: str | None = None


def of_make(text: str) -> list[Recipe]:
    """Return the plain targets of a Makefile that are not named like files."""
    return list(_merged(_rules(text)))


def of_just(text: str) -> list[Recipe]:
    """Return the recipes of a justfile that are not private."""
    found: list[Recipe] = []
    above, is_private = "", False
    is_open = False
    for number, words in enumerate(text.splitlines(), start=1):
        if words[:1] in (" ", "\t"):
            if is_open and (command := words.strip().lstrip(_QUIET)) and not command.startswith("#"):
                found[-1] = replace(found[-1], commands=(*found[-1].commands, command))
            continue
        matched = _RECIPE.match(words)
        is_open = matched is not None and not is_private
        if matched is not None and is_open:
            found.append(Recipe(matched[1], number, description=above or None))
        if words.startswith("["):
            is_private = is_private or "private" in words
            continue
        above, is_private = words.lstrip("# \t").strip() if words.startswith("#") else "", False
    return found


def of_taskfile(text: str) -> list[Recipe]:
    """Return the tasks of a Taskfile that are not internal."""
    root = mapping_of(parsed(text, "Taskfile").root)
    tasks = mapping_of(root.items.get("tasks")) if root is not None else None
    if tasks is None:
        return []
    return [
        Recipe(name, tasks.keys[name].line, _commands_of(node), _description_of(node))
        for name, node in tasks.items.items()
        if _TASK.fullmatch(name) and not _is_internal(node)
    ]


def _commands_of(task: Node) -> tuple[str, ...]:
    """Return the commands of a task: a text, a list, or a table with `cmds`; without calls of other tasks."""
    table = mapping_of(task)
    if table is None:
        return tuple(text_of(each) for each in listed(task))
    found: list[str] = [text_of(table.items.get("cmd"))]
    commands = table.items.get("cmds")
    for each in commands.items if isinstance(commands, Sequence) else (commands,):
        inner = mapping_of(each)
        found.append(text_of(each if inner is None else inner.items.get("cmd")))
    return tuple(each for each in found if each)


def _description_of(task: Node) -> str | None:
    table = mapping_of(task)
    return (text_of(table.items.get("desc")) or None) if table is not None else None


def _is_internal(task: Node) -> bool:
    table = mapping_of(task)
    return table is not None and text_of(table.items.get("internal")).lower() == "true"


def _rules(text: str) -> Iterator[Recipe]:
    current: Recipe | None = None
    joined, begin = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        words = joined + (line.strip() if joined else line)
        begin = begin if joined else number
        if line.endswith("\\"):
            joined = words.removesuffix("\\").rstrip() + " "
            continue
        joined = ""
        if words.startswith("\t"):
            command = words.strip().lstrip(_QUIET)
            if current is not None and command and not command.startswith("#"):
                yield replace(current, commands=(command,), description=None)
        elif words.strip() and not words.startswith("#"):
            rule = _RULE.match(words)
            is_plain = rule is not None and not _ASSIGNED.match(rule[2])
            current = Recipe(rule[1], begin) if rule is not None and is_plain else None
            if rule is not None and current is not None:
                said = _MARK.search(rule[2])
                yield replace(current, description=said[1].strip() if said else None)


def _merged(found: Iterator[Recipe]) -> Iterator[Recipe]:
    """Yield one recipe for each name: a target may have several rules, and every command comes separately."""
    by_name: dict[str, Recipe] = {}
    for each in found:
        first = by_name.setdefault(each.name, each)
        if first is not each:
            both = (*first.commands, *each.commands)
            said = first.description or each.description
            by_name[each.name] = replace(first, commands=both, description=said)
    yield from by_name.values()
