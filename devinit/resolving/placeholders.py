"""Placeholders for what an export does not write down. Pure.

A project is resolved with placeholders in the place of passwords and of the caller's variables. They pass through
URLs and shell quotes unchanged, being letters and digits, and become references in the end. So no secret is ever
in the value that is exported.
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
    """Return what stands for the value of a variable."""
    return f"devinit0ref{variable.encode().hex()}z"


def value_of(text: str, secrets: Mapping[str, str] = NO_SECRETS) -> Value:
    """Return a text with its placeholders as references, and its `secrets`, each with the variable that has it.

    A repository may hold text that looks like a placeholder: it is one only with the name of a variable.
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
    """Yield what a text is made of, with a reference in the place of each secret."""
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
    """Return the value of a variable; a reference to the whole of one that holds a secret all the same.

    Such a secret is written in devinit.toml, or in the URL of a server elsewhere.
    """
    value = value_of(text, secrets)
    holds_one = _hides_text(text) if value.variables else masked_value(name, text) != text
    return Value((Reference(name),)) if holds_one else value


def _hides_text(text: str) -> bool:
    """Whether a secret is recognised in a text that is more than references."""
    return any(isinstance(each, str) for hidden in hidden_parts(text) for each in value_of(hidden).pieces)


def referred_to(templates: Iterable[tuple[str, str]]) -> set[str]:
    """Return the names that templates refer to without a default. Raise ConfigError for what is no template.

    Each comes with the key in devinit.toml that it stands at.
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
    """Return variables without those that merely pass the caller's value on."""
    return {
        name: variable_of(name, text, secrets)
        for name, text in values.items()
        if not (name in callers and text == placeholder(name))
    }
