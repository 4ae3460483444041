"""What detection says of packages that are not installed. Pure."""

from __future__ import annotations

NO_PACKAGES = "node_modules is missing"
NO_ENVIRONMENT = "no virtual environment (.venv) yet"


def is_made_by_setup(note: str) -> bool:
    """Whether a note is about what `start --setup` installs: said beside that, it would be noise."""
    return f"{NO_PACKAGES};" in note or f"{NO_ENVIRONMENT};" in note


def folders_in(note: str) -> list[str]:
    """Return the folders that such a note is about, relative to the project's: "" for that one."""
    before, _, words = note.partition(": ")
    return [each.strip("/").removeprefix(".") for each in before.split(", ")] if words else [""]
