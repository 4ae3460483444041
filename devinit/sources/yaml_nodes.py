"""YAML of other programs as a tree in which every node knows its file and line.

Tags construct no objects. Depth, number of nodes, and the copies that aliases and merge keys make are bounded.
Numbers and booleans remain the text of the file, because compose files and their relatives leave them open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.files import LONGEST_WORDS

MOST_NODES = 50_000
DEEPEST = 60
MOST_MERGED = 50_000
"""Entries that merge keys copy in one document: a chain of them would copy the square of its length."""
_LINES = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
"""Line endings of YAML."""
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"


class Place(Struct, frozen=True):
    """The line in which a node begins."""

    file: str
    """Relative to the project's folder."""
    line: int
    """Counted from 1."""
    says: str = ""
    """The text of the line."""

    def __str__(self) -> str:
        """Return the file and the line for messages."""
        return f"{self.file}, line {self.line}"

    def evidence(self, about: str) -> Evidence:
        """Return the line as evidence for a value of a service."""
        says = self.says.strip()[:LONGEST_WORDS]
        return Evidence(about=about, file=self.file, line=self.line, says=says)


class Scalar(Struct, frozen=True):
    """A text; None for null."""

    text: str | None
    at: Place
    tag: str = ""


class Sequence(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    at: Place
    tag: str = ""


class Mapping(Struct, frozen=True):
    """Keys, each with its value and its own place."""

    items: dict[str, Node]
    keys: dict[str, Place]
    at: Place
    tag: str = ""


Node: TypeAlias = Scalar | Sequence | Mapping


class Document(Struct, frozen=True):
    """The readable part of a YAML file."""

    root: Node | None
    problems: tuple[str, ...] = ()
    """Entries that were skipped, each with file and line."""


class _Refused(Exception):
    """Raised for a document that is too large or not allowed by YAML."""


def parsed(text: str, file: str) -> Document:
    """Return the first document of a text; without a root, and with the reason, when it cannot be read."""
    import yaml  # the one library for YAML: only repositories with such a file load it

    builder = _Builder(file, _LINES.split(text))
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            _take(builder, event, yaml)
    except _Refused as error:
        return Document(None, (str(error),))
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "no YAML"
        place = f"{file}, line {mark.line + 1}" if mark is not None else file
        return Document(None, (f"{place}: cannot be read: {problem}",))
    return Document(builder.root, tuple(builder.problems))


def _take(builder: _Builder, event: Any, yaml: Any) -> None:
    """Add the node of an event (Any: PyYAML's events have no useful types)."""
    line = event.start_mark.line
    match event:
        case yaml.ScalarEvent():
            is_null = event.implicit[0] and event.tag is None and event.value in _NULLS
            text = None if is_null else event.value
            builder.add(Scalar(text, builder.place(line), event.tag or ""), event.anchor)
        case yaml.AliasEvent():
            builder.refer(event.anchor, line)
        case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            builder.begin(line, event.tag or "", event.anchor, is_mapping=is_mapping)
        case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
            builder.end()


class _Open(Struct):
    """A list or a mapping whose end has not been read."""

    at: Place
    tag: str
    anchor: str | None
    is_mapping: bool
    nodes: list[Node] = []


class _Builder:
    """Builds the tree from events without recursion, because the text decides how deep it is."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.root: Node | None = None
        self.problems: list[str] = []
        self._file = file
        self._lines = lines
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = self._merged = 0

    def place(self, line: int) -> Place:
        """Return the place of a line that is counted from 0."""
        says = self._lines[line] if line < len(self._lines) else ""
        return Place(self._file, line + 1, says)

    def begin(self, line: int, tag: str, anchor: str | None, *, is_mapping: bool) -> None:
        """Open a list or a mapping."""
        if len(self._open) == DEEPEST:
            raise _Refused(f"{self._file}, line {line + 1}: cannot be read: more than {DEEPEST} levels deep")
        self._open.append(_Open(self.place(line), tag, anchor, is_mapping, []))

    def end(self) -> None:
        """Close the last opened list or mapping."""
        last = self._open.pop()
        if last.is_mapping:
            self.add(self._mapping(last), last.anchor)
        else:
            self.add(Sequence(tuple(last.nodes), last.at, last.tag), last.anchor)

    def refer(self, anchor: str, line: int) -> None:
        """Add the node that an alias refers to."""
        if anchor not in self._anchors:
            self._say(line + 1, f"*{anchor} refers to itself, or to nothing, and is passed over")
        self.add(self._anchors.get(anchor, Scalar(None, self.place(line))), None)

    def add(self, node: Node, anchor: str | None) -> None:
        """Add a finished node to the open list or mapping, or make it the root."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _Refused(f"{self._file}: cannot be read: it has more than {MOST_NODES:,} values")
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self.root = node

    def _mapping(self, opened: _Open) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Node] = []
        pairs = iter(opened.nodes)
        for key, value in zip(pairs, pairs, strict=True):
            if not isinstance(key, Scalar):
                self._say(key.at.line, "a key that is no text is passed over")
                continue
            name = key.text or ""
            if name == _MERGE:
                merged.append(value)
            elif name in items:
                self._say(key.at.line, f"`{name[:50]}` is there twice; the first one counts")
            else:
                items[name], keys[name] = value, key.at
        for source in _sources(merged):
            self._merged += len(source.items)
            if self._merged > MOST_MERGED:
                raise _Refused(f"{source.at}: cannot be read: its merge keys copy too much")
            for name, value in source.items.items():
                if name not in items:
                    items[name], keys[name] = value, source.keys[name]
        return Mapping(items, keys, opened.at, opened.tag)

    def _say(self, line: int, text: str) -> None:
        # A malformed file may have a problem on every line.
        if len(self.problems) < 20:  # noqa: PLR2004 - more than a person reads
            self.problems.append(f"{self._file}, line {line}: {text}")


def _sources(merged: list[Node]) -> Iterator[Mapping]:
    """Yield the mappings that merge keys name; earlier ones win."""
    for node in merged:
        for each in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(each, Mapping):
                yield each


def text_of(node: Node | None) -> str:
    """Return the text of a scalar; "" for null and for any other node."""
    return (node.text or "") if isinstance(node, Scalar) else ""


def mapping_of(node: Node | None) -> Mapping | None:
    """Return the node if it is a mapping; else None."""
    return node if isinstance(node, Mapping) else None


def listed(node: Node | None) -> tuple[Scalar, ...]:
    """Return the texts of a list, or a single text; empty for null and for any other node."""
    match node:
        case Scalar(text=str()):
            return (node,)
        case Sequence():
            return tuple(each for each in node.items if isinstance(each, Scalar) and each.text is not None)
    return ()
