"""The colours: a dark and a light theme with the same meanings, and which of them to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.theme import Theme

from devinit.dashboard.preferences import PALETTE, OwnTheme
from devinit.errors import StateFileError
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import state_directory

DARK = Theme(
    name="devinit-dark",
    primary="#7cb7ff",
    secondary="#b9a3ff",
    accent="#ffb86b",
    success="#73d68f",
    warning="#f2c25c",
    error="#ff7a85",
    foreground="#d6dce6",
    background="#10141b",
    surface="#161c26",
    panel="#202938",
    dark=True,
    variables={
        "footer-background": "#161c26",
        "footer-key-foreground": "#7cb7ff",
        "footer-description-foreground": "#9aa7b8",
        "border": "#2b3647",
        "dim": "#8391a3",
        "input-selection-background": "#7cb7ff 30%",
        "screen-selection-background": "#7cb7ff 30%",
    },
)
LIGHT = Theme(
    name="devinit-light",
    primary="#1f5fbf",
    secondary="#6d4bc1",
    accent="#a8560a",
    success="#19752f",
    warning="#8a5a00",
    error="#c0242f",
    foreground="#1f2733",
    background="#fbfbf9",
    surface="#f1f2f0",
    panel="#dfe5ee",
    dark=False,
    variables={
        "footer-background": "#f1f2f0",
        "footer-key-foreground": "#1f5fbf",
        "footer-description-foreground": "#566272",
        "border": "#c7ced8",
        "dim": "#697584",
        "input-selection-background": "#1f5fbf 25%",
        "screen-selection-background": "#1f5fbf 25%",
    },
)
LIGHT_BACKGROUNDS = ("7", "15")
"""White, as COLORFGBG counts the sixteen colours."""


def own(theme: OwnTheme) -> Theme:
    """Return a theme of the user: one of ours with some colours changed."""
    base = LIGHT if theme.base == "light" else DARK
    colours = {name: getattr(base, name) for name in PALETTE} | {
        name: colour for name, colour in theme.colours.items() if name in PALETTE
    }
    variables = base.variables | {
        name: colour for name, colour in theme.colours.items() if name not in PALETTE
    }
    return Theme(name=theme.name, dark=base.dark, variables=variables, **colours)


def first_theme(environ: Mapping[str, str]) -> str:
    """Return the theme that was chosen last, or the one that goes with the terminal as far as it says."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return remembered() or (LIGHT if background in LIGHT_BACKGROUNDS else DARK).name


def remembered() -> str | None:
    """Return the theme that was chosen last."""
    try:
        return (read_text(path()) or "").strip() or None
    except StateFileError:
        return None  # a matter of taste is no reason to show nothing


def remember(name: str) -> None:
    """Begin with this theme the next time."""
    try:
        write_atomically(path(), f"{name}\n")
    except StateFileError:
        return  # as above


def path() -> Path:
    """Return where the choice is kept."""
    return state_directory() / "theme"
