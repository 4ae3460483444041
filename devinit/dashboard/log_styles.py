"""The styles for the fields of a structured line. Pure."""

from __future__ import annotations

from devinit.logs.levels import Level


def style_of_piece(piece: str, level: Level) -> str:
    """Return the style of a piece of a structured line: level, message, or the rest."""
    if piece == "dim":
        return "dim"
    if level >= Level.ERROR:
        return "bad"
    if level is Level.WARNING:
        return "attention"
    if piece == "level":
        return "good" if level is Level.INFO else "dim"
    return "" if level >= Level.INFO else "dim"
