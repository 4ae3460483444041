"""Lists of origins and hosts, as JSON or with commas: missing entries are added, existing ones stay. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec
from msgspec import Struct

from devinit.runtime.forms.address import LONGEST, Form, parse


class Separator(StrEnum):
    """The notation of a list."""

    JSON = "json"
    """`["http://localhost:3000"]`."""
    COMMA = ","
    SPACE = " "


class Listed(Struct, frozen=True, kw_only=True):
    """A list in a text."""

    text: str
    separator: Separator
    entries: tuple[str, ...]

    @property
    def allows_all(self) -> bool:
        """Whether an entry is the wildcard `*`."""
        return "*" in self.entries

    @property
    def are_hosts(self) -> bool:
        """Whether no entry has a scheme or a port, as in Django's ALLOWED_HOSTS."""
        addresses = [parse(entry) for entry in self.entries]
        return bool(addresses) and all(each is not None and each.form is Form.HOST for each in addresses)


def parse_list(text: str) -> Listed | None:
    """Return the list that a text contains: JSON, or at least two entries separated by commas or spaces."""
    if len(text) > LONGEST:
        return None
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        return _json(text)
    for separator in (Separator.COMMA, Separator.SPACE):
        if separator in stripped:
            entries = tuple(part.strip() for part in stripped.split(separator) if part.strip())
            # A text with spaces is a list only when each of its words is an address.
            is_list = separator is Separator.COMMA or all(map(is_entry, entries))
            return Listed(text=text, separator=separator, entries=entries) if entries and is_list else None
    return None


def as_json(entries: Iterable[str]) -> Listed:
    """Return a list of these entries, written as JSON."""
    found = tuple(entries)
    text = f"[{', '.join(msgspec.json.encode(each).decode() for each in found)}]"
    return Listed(text=text, separator=Separator.JSON, entries=found)


def list_read_with(separator: Separator, text: str) -> Listed:
    """Return the list that code gets when it splits a text at a separator; it may have one entry or none."""
    return Listed(
        text=text,
        separator=separator,
        entries=tuple(part.strip() for part in text.split(separator) if part.strip()),
    )


def extended(listed: Listed, entries: Iterable[str]) -> str:
    """Return the text of a list with its missing entries added in the notation of the existing ones."""
    missing = [each for each in _like(listed, entries) if each not in listed.entries]
    if not missing:
        return listed.text
    end = len(listed.text.rstrip())
    body, rest = listed.text[:end], listed.text[end:]
    if listed.separator is Separator.JSON:
        body, rest = body[:-1], f"]{rest}"
        kept = body.rstrip()
        gap = body[len(kept) :] if listed.entries else ""
        sign = ", " if ", " in listed.text or not listed.entries else ","
        written = [msgspec.json.encode(each).decode() for each in missing]
        return kept + (sign if listed.entries else "") + sign.join(written) + gap + rest
    sign = ", " if listed.separator is Separator.COMMA and ", " in body else listed.separator.value
    kept = body.rstrip(listed.separator.value)
    return kept + (sign if listed.entries else "") + sign.join(missing) + rest


def without(listed: Listed, entries: Collection[str]) -> str:
    """Return the text of a list without some entries; unchanged if it contains none of them."""
    kept = [each for each in listed.entries if each not in entries]
    if len(kept) == len(listed.entries):
        return listed.text
    is_json = listed.separator is Separator.JSON
    sign = " " if listed.separator is Separator.SPACE else ", " if ", " in listed.text else ","
    text = sign.join(msgspec.json.encode(each).decode() if is_json else each for each in kept)
    return f"[{text}]" if is_json else text


def is_entry(text: str) -> bool:
    """Whether a text can be an origin or a host, or a pattern of origins."""
    return "://" in text or parse(text) is not None


def _json(text: str) -> Listed | None:
    try:
        entries = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
        return None
    return Listed(text=text, separator=Separator.JSON, entries=tuple(entries))


def _like(listed: Listed, entries: Iterable[str]) -> list[str]:
    """Return entries with a trailing slash, or without their scheme, if those of the list are written so."""
    slash = bool(listed.entries) and all(each.endswith("/") for each in listed.entries)
    bare = bool(listed.entries) and all("://" not in each for each in listed.entries)
    plain = [each.partition("://")[2] if bare and "://" in each else each for each in entries]
    return [each if each.endswith("/") or not slash else f"{each}/" for each in plain]
