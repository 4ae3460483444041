"""The colours of the dark and the light theme, and which theme to begin with: known before Textual is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.errors import StateFileError
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from devinit.dashboard.preferences import OwnTheme

DARK_NAME, LIGHT_NAME = "devinit-dark", "devinit-light"
DARK = {
    "primary": "#7cb7ff",
    "secondary": "#b9a3ff",
    "accent": "#ffb86b",
    "success": "#73d68f",
    "warning": "#f2c25c",
    "error": "#ff7a85",
    "foreground": "#d6dce6",
    "background": "#10141b",
    "surface": "#161c26",
    "panel": "#202938",
    "border": "#2b3647",
    "dim": "#8391a3",
}
LIGHT = {
    "primary": "#1f5fbf",
    "secondary": "#6d4bc1",
    "accent": "#a8560a",
    "success": "#19752f",
    "warning": "#8a5a00",
    "error": "#c0242f",
    "foreground": "#1f2733",
    "background": "#fbfbf9",
    "surface": "#f1f2f0",
    "panel": "#dfe5ee",
    "border": "#c7ced8",
    "dim": "#697584",
}
LIGHT_BACKGROUNDS = ("7", "15")
"""White, as COLORFGBG counts the sixteen colours."""


def first_theme(environ: Mapping[str, str]) -> str:
    """Return the theme that was chosen last, or the one that goes with the terminal as far as it says."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return remembered() or (LIGHT_NAME if background in LIGHT_BACKGROUNDS else DARK_NAME)


def colours_of(theme: str, own: Sequence[OwnTheme]) -> dict[str, str] | None:
    """Return the colours of a theme of ours or of the user's; None for those that only Textual knows."""
    for each in own:
        if each.name == theme:
            return (LIGHT if each.base == "light" else DARK) | each.colours
    return {DARK_NAME: DARK, LIGHT_NAME: LIGHT}.get(theme)


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
