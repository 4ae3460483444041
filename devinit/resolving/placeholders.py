"""Placeholders for values that an export must not contain. Pure.

A project is resolved with placeholders in place of passwords and of the caller's variables. Placeholders consist
of letters and digits, so they pass through URLs and shell quoting unchanged. In the end they become references.
The exported value therefore never contains a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from devinit.config.secrets import hidden_parts
from devinit.masking import masked_value
from devinit.model.resolved import Piece, Reference, Value
from devinit.runtime.templates import Reference as TemplateReference
from devinit.runtime.templates import parse

_PLACEHOLDER = re.compile(r"devinit0ref((?:[0-9a-f]{2})+)z")
NO_SECRETS: Mapping[str, str] = MappingProxyType({})


def placeholder(variable: str) -> str:
    """Return the placeholder for the value of a variable."""
    return f"devinit0ref{variable.encode().hex()}z"


def value_of(text: str, secrets: Mapping[str, str] = NO_SECRETS) -> Value:
    """Return a text with references in place of placeholders and of `secrets`, which maps secrets to variables.

    A repository may contain a text that looks like a placeholder; it must contain the name of a variable to be
    one.
    """
    pieces: list[Piece] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        name = bytes.fromhex(found[1]).decode(errors="replace")
        if not re.fullmatch(r"\w+", name, re.ASCII):
            continue
        pieces += _without(secrets, text[end : found.start()])
        pieces.append(Reference(name))
        end = found.end()
    pieces += _without(secrets, text[end:])
    return Value(tuple(pieces))


def _without(secrets: Mapping[str, str], text: str) -> Iterator[Piece]:
    """Yield the pieces of a text, with a reference in place of each secret."""
    secret = next((each for each in secrets if each in text), None)
    if secret is None:
        if text:
            yield text
        return
    first, *rest = text.split(secret)
    yield from _without(secrets, first)
    for piece in rest:
        yield Reference(secrets[secret])
        yield from _without(secrets, piece)


def variable_of(name: str, text: str, secrets: Mapping[str, str] = NO_SECRETS) -> Value:
    """Return the value of a variable; a reference to the variable itself if the value still holds a secret.

    Such a secret is part of devinit.toml, or of the URL of an external server.
    """
    value = value_of(text, secrets)
    holds_one = _hides_text(text) if value.variables else masked_value(name, text) != text
    return Value((Reference(name),)) if holds_one else value


def _hides_text(text: str) -> bool:
    """Return whether a secret is recognised in the parts of a text that are no references."""
    return any(isinstance(each, str) for hidden in hidden_parts(text) for each in value_of(hidden).pieces)


def referred_to(templates: Iterable[tuple[str, str]]) -> set[str]:
    """Return the names that templates refer to without a default. Raise ConfigError for an invalid template.

    Each template comes with its key in devinit.toml.
    """
    found: set[str] = set()
    for key, template in templates:
        found |= {
            each.name
            for each in parse(template, key=key)
            if isinstance(each, TemplateReference) and each.default is None
        }
    return found


def given(
    values: Mapping[str, str], callers: Collection[str], secrets: Mapping[str, str] = NO_SECRETS
) -> dict[str, Value]:
    """Return variables without those that only pass on the caller's value."""
    return {
        name: variable_of(name, text, secrets)
        for name, text in values.items()
        if not (name in callers and text == placeholder(name))
    }
