"""Describe the ports and commands of a devcontainer.json, each in a sentence.

The keys are documented at https://containers.dev/implementors/json_reference.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from devinit.sources.files import read, table
from devinit.sources.jsonc import parse_jsonc
from devinit.sources.source import Found
from devinit.system.bounds import Bounds
from devinit.text import cut, one_line

ONCE = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
EACH_TIME = ("postStartCommand", "postAttachCommand")
MOST = 12
"""Limit of the ports, names and commands that are shown."""
LONGEST = 200
"""In characters, for one of them."""


def found_in(bounds: Bounds, files: tuple[str, ...]) -> Found:
    """Return hints from the first readable file."""
    for file in files:
        text = read(bounds.root / file, bounds)
        described = parse_jsonc(text) if text else None
        if isinstance(described, dict):
            return Found(origin=file, hints=tuple(_hints(file, text, described)))
    return Found(origin="devcontainer.json")


def _hints(file: str, text: str, described: dict[str, Any]) -> Iterator[str]:
    if ports := list(_ports(described)):
        yield f"{_place(file, text, 'forwardPorts')} forwards {', '.join(ports[:MOST])}"
    for key in ONCE:
        for command in _commands(described.get(key)):
            setup = json.dumps([command], ensure_ascii=False)
            yield (
                f"{_place(file, text, key)} runs `{command}` once in a new container; `setup = {setup}` of a "
                "[services.NAME] in devinit.toml does so, too"
            )
    for key in EACH_TIME:
        for command in _commands(described.get(key)):
            yield f"{_place(file, text, key)} runs `{command}` whenever its container starts"
    if compose := list(_texts(described.get("dockerComposeFile"))):
        yield f"{_place(file, text, 'dockerComposeFile')} starts the containers of {', '.join(compose[:MOST])}"
    for key in ("containerEnv", "remoteEnv"):
        if names := [_shown(name) for name in table(described, key)]:
            yield f"{_place(file, text, key)} gives {', '.join(names[:MOST])} to what runs in its container"


def _ports(described: dict[str, Any]) -> Iterator[str]:
    """Yield the forwarded ports with their labels: `3000 (frontend)`, `db:5432`."""
    forwarded = described.get("forwardPorts")
    attributes = table(described, "portsAttributes")
    named = forwarded if isinstance(forwarded, list) else []
    for port in dict.fromkeys(str(each) for each in (*named, *attributes) if isinstance(each, int | str)):
        label = table(attributes, port).get("label")
        yield f"{_shown(port)} ({_shown(label)})" if isinstance(label, str) and label else _shown(port)


def _commands(value: object) -> Iterator[str]:
    """Yield the commands of a value: a line, a list of words, or named commands that run in parallel."""
    match value:
        case str():
            yield from filter(None, [_shown(value)])
        case list() if all(isinstance(word, str) for word in value):
            yield from filter(None, [_shown(shlex.join(value))])
        case dict():
            for each in list(value.values())[:MOST]:
                if not isinstance(each, dict):
                    yield from _commands(each)


def _texts(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield _shown(each)


def _shown(text: str) -> str:
    return cut(one_line(text), LONGEST)


def _place(file: str, text: str, key: str) -> str:
    position = text.find(f'"{key}"')
    return f"{file}, line {text.count(chr(10), 0, position) + 1}" if position >= 0 else file
