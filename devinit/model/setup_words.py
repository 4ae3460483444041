"""The notes of detection about packages that are not installed. Pure."""

from __future__ import annotations

NO_PACKAGES = "node_modules is missing"
NO_ENVIRONMENT = "no virtual environment (.venv) yet"


def is_made_by_setup(note: str) -> bool:
    """Whether a note is about packages that `start --setup` installs: next to that advice, it would be noise."""
    return f"{NO_PACKAGES};" in note or f"{NO_ENVIRONMENT};" in note


def folders_in(note: str) -> list[str]:
    """Return the folders in such a note, relative to the project's folder, which is ""."""
    before, _, words = note.partition(": ")
    return [each.strip("/").removeprefix(".") for each in before.split(", ")] if words else [""]
