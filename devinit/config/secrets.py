"""Keeping secrets of `.env` files out of a written devinit.toml, which belongs to the repository. Pure.

Detection reads a compose file with `${DB_PASSWORD}` expanded, because that is the value for the service. The
written file names the variable instead, which every service gets from the same `.env`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from devinit.masking import HIDDEN, hides, masked
from devinit.masking.names import SWITCHES

if TYPE_CHECKING:
    from devinit.config.as_tables import Value

SHORTEST = 4
"""In characters. A shorter secret may be part of any word, and protects nothing."""
NO_SECRETS = frozenset(
    {"password", "postgres", "redis", "root", "admin", "secret", "changeme", "default", "test"}
)
"""Passwords for development that are common words in configurations."""
TEMPLATES = frozenset({"command", "setup", "before_start", "env"})
"""Keys whose texts may refer to variables."""
_SPEAKING = TEMPLATES | {"password", "url", "ready", "health"}
"""Keys whose texts may contain a secret, unlike names, folders and ports."""


def secrets_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets in `.env` files: each with the variable whose value it is; "" for a part of a value."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if hides(name) and value.lower() not in SWITCHES:
            found[value] = name
        else:
            found |= {part: found.get(part, "") for part in hidden_parts(value)}
    words = {value for name, value in values.items() if not hides(name)}
    words |= NO_SECRETS
    secrets = {text: name for text, name in found.items() if len(text) >= SHORTEST and text not in words}
    # The longest first, because one may be part of another.
    return dict(sorted(secrets.items(), key=lambda each: -len(each[0])))


def hidden_parts(value: str) -> Iterator[str]:
    """Yield the parts of a value that are masked in output."""
    first, *rest = masked(value).split(HIDDEN)
    position = len(first)
    for piece in rest:
        end = value.find(piece, position) if piece else len(value)
        if end > position:
            yield value[position:end]
        position = max(end, position) + len(piece)


def without_secrets(
    keys: Mapping[str, Value], secrets: Mapping[str, str]
) -> tuple[dict[str, Value], list[str]]:
    """Return the keys of a table without secrets, and the names of keys that cannot be written."""
    kept: dict[str, Value] = {}
    left: list[str] = []
    for key, value in keys.items():
        if key not in _SPEAKING or not any(secret in text for text in _texts(value) for secret in secrets):
            kept[key] = value
        elif key == "env" and isinstance(value, dict):
            inner = {name: _named(each, secrets) for name, each in value.items()}
            if any(each is not None for each in inner.values()):
                kept[key] = {name: each for name, each in inner.items() if each is not None}
            left += [f"env.{name}" for name, each in inner.items() if each is None]
        elif key == "password" and isinstance(value, str) and secrets.get(value):
            kept[key] = f"${{{secrets[value]}}}"  # a password is either one variable or plain text
        elif key in TEMPLATES and (named := _named(value, secrets)) is not None:
            kept[key] = named
        else:
            left.append(key)
    return kept, left


def _texts(value: Value) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for each in value.values():
                yield from _texts(each)


def _named(value: Value, secrets: Mapping[str, str]) -> Value | None:
    """Return a value with variables instead of secrets; None if a secret is not the value of any variable."""
    if isinstance(value, list):
        each = [_named(text, secrets) for text in value]
        return None if None in each else [text for text in each if text is not None]
    if not isinstance(value, str):
        return value
    for secret, name in secrets.items():
        if secret in value:
            if not name:
                return None
            value = value.replace(secret, f"${{{name}}}")
    return value
