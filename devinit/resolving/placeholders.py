"""Placeholders for what an export does not write down. Pure.

A project is resolved with placeholders in the place of passwords and of the caller's variables. They pass through
URLs and shell quotes unchanged, being letters and digits, and become references in the end. So no secret is ever
in the value that is exported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from devinit.masking import masked_value
from devinit.model.resolved import Piece, Reference, Value
from devinit.runtime.templates import Reference as TemplateReference
from devinit.runtime.templates import parse

_PLACEHOLDER = re.compile(r"devinit0ref((?:[0-9a-f]{2})+)z")


def placeholder(variable: str) -> str:
    """Return what stands for the value of a variable."""
    return f"devinit0ref{variable.encode().hex()}z"


def value_of(text: str) -> Value:
    """Return a text with its placeholders as references."""
    pieces: list[Piece] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        if found.start() > end:
            pieces.append(text[end : found.start()])
        pieces.append(Reference(bytes.fromhex(found[1]).decode()))
        end = found.end()
    if end < len(text):
        pieces.append(text[end:])
    return Value(tuple(pieces))


def variable_of(name: str, text: str) -> Value:
    """Return the value of a variable; a reference to the whole of one that holds a secret all the same.

    Such a secret is written in devinit.toml, or in the URL of a server elsewhere.
    """
    value = value_of(text)
    if not value.variables and masked_value(name, text) != text:
        return Value((Reference(name),))
    return value


def referred_to(templates: Iterable[str]) -> set[str]:
    """Return the names that templates refer to without a default. Raise ConfigError for what is no template."""
    found: set[str] = set()
    for template in templates:
        found |= {
            each.name
            for each in parse(template, key="a value")
            if isinstance(each, TemplateReference) and each.default is None
        }
    return found


def given(values: Mapping[str, str], callers: Collection[str]) -> dict[str, Value]:
    """Return variables without those that merely pass the caller's value on."""
    return {
        name: variable_of(name, text)
        for name, text in values.items()
        if not (name in callers and text == placeholder(name))
    }
