"""The user's preferences for every dashboard: keys and colours in `~/.config/devinit/config.toml`.

A mistake in the file does not stop the dashboard: a message names the nearest valid name, and the rest applies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, field

from devinit.dashboard.keys import KEYS, Key
from devinit.errors import StateFileError
from devinit.system.files import read_text
from devinit.text import listed, nearest
from devinit.toml import parse_toml

Table: TypeAlias = Mapping[str, Any]
"""A table of the file. Any: its values are unchecked."""
TABLES = ("dashboard", "keys", "themes")
ACTIONS = tuple(dict.fromkeys(key.action for key in KEYS if key.action.isidentifier()))
PALETTE = (
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
    "foreground",
    "background",
    "surface",
    "panel",
)
"""The colours of Textual; the others are devinit's."""
COLOURS = (
    *PALETTE,
    "border",
    "dim",
)
BASES = ("dark", "light")
RESERVED = ("up", "down", "tab", "shift+tab", "enter", "escape", "ctrl+q", "ctrl+p", "ctrl+c")
"""Keys with a fixed meaning."""
NAMED = re.compile(
    r"(?:ctrl|alt)\+[a-z]|f(?:[1-9]|1[0-2])|space|insert|delete|backspace|home|end|pageup|pagedown"
)
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
SIGNS = {",": "comma", ";": "semicolon", "/": "slash", "?": "question_mark", " ": "space"}
"""Textual's names for characters that are among devinit's keys."""


class OwnTheme(Struct, frozen=True):
    """A user's theme: a base theme with some colours changed."""

    name: str
    base: str
    colours: dict[str, str]


class Preferences(Struct, frozen=True):
    """The valid preferences from the file, and its problems."""

    theme: str | None = None
    keys: dict[str, str] = {}
    """The keys of some actions, by action."""
    themes: tuple[OwnTheme, ...] = ()
    problems: tuple[str, ...] = ()
    """The problems in the file, one line each."""


class _Reading(Struct):
    """The state of reading the file: the problems so far."""

    problems: list[str] = field(default_factory=list)

    def table(self, tables: Table, name: str) -> Table:
        """Return a table; an empty one if it is missing or not a table."""
        found = tables.get(name, {})
        if isinstance(found, Mapping):
            return found
        self.problems.append(f"{name}: a table is needed")
        return {}

    def unknown(self, where: str, name: str, known: tuple[str, ...]) -> None:
        """Report an unknown name, with the nearest valid one."""
        near = nearest(name, known)
        hint = f"did you mean {near}?" if near else f"there are {listed(known)}"
        self.problems.append(f"{where}{name}: unknown, {hint}")


def preferences_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the file."""
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    # By the XDG specification, a relative path is ignored.
    return (base if base.is_absolute() else Path("~/.config").expanduser()) / "devinit" / "config.toml"


def read_preferences(environ: Mapping[str, str]) -> Preferences:
    """Return the preferences of the user's file; the defaults if there is none."""
    path = preferences_path(environ)
    try:
        text = read_text(path)
    except StateFileError as error:
        return Preferences(problems=(error.message,))
    return Preferences() if text is None else preferences_of(text)


def preferences_of(text: str) -> Preferences:
    """Return the preferences in a text."""
    try:
        tables = parse_toml(text)
    except (ValueError, RecursionError) as error:
        return Preferences(problems=(f"no TOML: {error}",))
    reading = _Reading()
    for name in tables:
        if name not in TABLES:
            reading.unknown("", name, TABLES)
    themes = tuple(_themes(reading.table(tables, "themes"), reading))
    dashboard = reading.table(tables, "dashboard")
    for name in dashboard:
        if name != "theme":
            reading.unknown("dashboard.", name, ("theme",))
    theme = dashboard.get("theme")
    if theme is not None and not isinstance(theme, str):
        reading.problems.append("dashboard.theme: the name of a theme is needed")
        theme = None
    keys = _keys(reading.table(tables, "keys"), reading)
    return Preferences(theme=theme, keys=keys, themes=themes, problems=tuple(reading.problems))


def _themes(tables: Table, reading: _Reading) -> list[OwnTheme]:
    found = []
    for name in tables:
        table = reading.table(tables, name)
        base = table.get("base", "dark")
        if base not in BASES:
            reading.problems.append(f"themes.{name}.base: {' or '.join(BASES)}, not {base}")
            base = "dark"
        colours: dict[str, str] = {}
        for key, value in table.items():
            if key == "base":
                continue
            if key not in COLOURS:
                reading.unknown(f"themes.{name}.", key, ("base", *COLOURS))
            elif not isinstance(value, str) or not COLOUR.fullmatch(value):
                reading.problems.append(f"themes.{name}.{key}: a colour like #7cb7ff is needed")
            else:
                colours[key] = value
        found.append(OwnTheme(name, base, colours))
    return found


def _keys(table: Table, reading: _Reading) -> dict[str, str]:
    """Return the valid keys: each is a key, is free, and belongs to a known action."""
    wanted: dict[str, str] = {}
    for action, value in table.items():
        if action not in ACTIONS:
            reading.unknown("keys.", action, ACTIONS)
        elif not isinstance(value, str) or not (len(value) == 1 or NAMED.fullmatch(value)):
            reading.problems.append(
                f"keys.{action}: a character, or a name like ctrl+x, f5, pageup is needed"
            )
        elif value in RESERVED:
            reading.problems.append(f"keys.{action}: {value} means the same everywhere")
        else:
            wanted[action] = SIGNS.get(value, value)
    if "stop" in wanted:
        # It is the same key, while the service stops.
        wanted.setdefault("end_now", wanted["stop"])
    return {action: key for action, key in wanted.items() if not _is_taken(action, key, wanted, reading)}


def _is_taken(action: str, key: str, wanted: Mapping[str, str], reading: _Reading) -> bool:
    """Whether another action has the key already, which is reported."""
    for each in KEYS:
        its = wanted.get(each.action, each.key).split(",")
        if key in its and each.action != action and {each.action, action} != {"stop", "end_now"}:
            reading.problems.append(f"keys.{action}: {key} is the key of {each.action.partition('(')[0]}")
            return True
    return False


def keys_with(own: Mapping[str, str]) -> tuple[Key, ...]:
    """Return all keys of the dashboard, with the user's changes."""
    shown = {name: sign for sign, name in SIGNS.items() if sign != " "}
    return tuple(
        each._replace(key=key, display=shown.get(key, "")) if (key := own.get(each.action)) else each
        for each in KEYS
    )
