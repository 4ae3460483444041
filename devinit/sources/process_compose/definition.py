"""Parse one process of process-compose into values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from devinit.model.service import Condition
from devinit.sources.interpolation import Pieces, Unreadable, expanded, pieces_of
from devinit.sources.yaml_nodes import Mapping as MappingNode
from devinit.sources.yaml_nodes import Node, Place, Scalar, listed, mapping_of, text_of

MOST_VARIABLES = 300
_CONDITIONS = {
    "process_started": Condition.STARTED,
    "process_completed": Condition.COMPLETED,
    "process_completed_successfully": Condition.COMPLETED,
}
"""Any other condition means that the process is ready."""
_FIELD = re.compile(r"\{\{[ \t]{0,9}\.(\w{1,60})[ \t]{0,9}\}\}")
_NAME = re.compile(r"[A-Za-z_]\w{0,200}")
_CONTINUES = re.compile(r"(?:&&|\|\||\||\\|(?<!\w)(?:then|do|else|in)|\{|\()$")
_BARE = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w{0,100})\}")


class Variable(Struct, frozen=True):
    """An environment variable of a process."""

    name: str
    pieces: Pieces
    value: str
    at: Place


class Probe(Struct, frozen=True):
    """How process-compose checks that a process is ready."""

    at: Place
    path: str = ""
    """Path of the page that it requests."""
    port: int | None = None
    command: str = ""
    line: str = ""
    """The log line that the process prints when it is ready."""


class Definition(Struct, frozen=True, kw_only=True):
    """A process as the file describes it."""

    name: str
    at: Place
    command: str
    command_at: Place
    folder: str
    environment: tuple[Variable, ...]
    depends_on: tuple[tuple[str, Condition, Place], ...]
    probe: Probe | None
    is_disabled: bool
    is_kept: bool
    """Whether it is restarted when it has ended."""
    problem: str
    """Why its command cannot be run; "" when it can."""


def definition(name: str, at: Place, node: MappingNode, file: MappingNode) -> Definition:
    """Return the definition of a process; the file adds variables for all processes."""
    items = node.items
    fields = {
        key: text_of(value)
        for each in (mapping_of(file.items.get("vars")), mapping_of(items.get("vars")))
        if each is not None
        for key, value in each.items.items()
    }
    command, problem = _command(text_of(items.get("command")), fields)
    restart = text_of((mapping_of(items.get("availability")) or _EMPTY).items.get("restart"))
    variables = (*_variables(file.items.get("environment")), *_variables(items.get("environment")))
    return Definition(
        name=name,
        at=at,
        command=command,
        command_at=node.keys.get("command", at),
        folder=_filled(text_of(items.get("working_dir")), fields).strip(),
        environment=tuple({each.name: each for each in variables}.values()),
        depends_on=tuple(_dependencies(items.get("depends_on"))),
        probe=_probe(node),
        is_disabled=text_of(items.get("disabled")) == "true",
        is_kept=restart in ("always", "on_failure"),
        problem=problem,
    )


def _command(text: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """Return a command in one line, or "" and why it cannot be run."""
    lines = [line.strip() for line in _filled(text, fields).split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    if any(_CONTINUES.search(line) and not line.endswith("&&") for line in lines[:-1]):
        return "", "its command is a script of several lines"
    joined = "; ".join(lines).replace("&&; ", "&& ").replace("$$", "$")
    if _FIELD.search(joined) or "{{" in joined:
        return "", "its command has a field that `vars` does not give"
    # As in a shell, an unset variable is empty.
    return _BARE.sub(lambda found: found[0] if found[1] == "PORT" else f"${{{found[1]}:-}}", joined), ""


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def _variables(node: Node | None) -> Iterator[Variable]:
    for each in listed(node)[:MOST_VARIABLES]:
        name, sign, value = (each.text or "").partition("=")
        if not sign or not _NAME.fullmatch(name):
            continue
        try:
            pieces = pieces_of(value)
            yield Variable(name, pieces, expanded(pieces, {}), each.at)
        except Unreadable:
            continue


def _dependencies(node: Node | None) -> Iterator[tuple[str, Condition, Place]]:
    dependencies = mapping_of(node) or _EMPTY
    for name, value in dependencies.items.items():
        stated = text_of((mapping_of(value) or _EMPTY).items.get("condition"))
        yield name, _CONDITIONS.get(stated, Condition.READY), dependencies.keys[name]


def _probe(node: MappingNode) -> Probe | None:
    line = node.items.get("ready_log_line")
    if isinstance(line, Scalar) and line.text:
        return Probe(line.at, line=line.text)
    probe = mapping_of(node.items.get("readiness_probe"))
    if probe is None:
        return None
    page = mapping_of(probe.items.get("http_get"))
    if page is not None:
        port = text_of(page.items.get("port"))
        is_port = port.isascii() and port.isdigit() and 0 < len(port) < 6  # noqa: PLR2004 - digits of a port
        path = text_of(page.items.get("path")) or "/"
        return Probe(page.at, path=path, port=int(port) if is_port else None)
    command = text_of((mapping_of(probe.items.get("exec")) or _EMPTY).items.get("command"))
    return Probe(probe.at, command=command) if command else None


_EMPTY = MappingNode({}, {}, Place("", 0))
