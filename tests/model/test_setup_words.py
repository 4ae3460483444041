"""Specifies what is told from a note about packages that are not installed."""

from __future__ import annotations

import pytest

from devinit.model.setup_words import NO_ENVIRONMENT, NO_PACKAGES, folders_in


@pytest.mark.parametrize(
    ("note", "folders"),
    [
        (f"{NO_PACKAGES}; `npm install` makes it", [""]),
        (f"frontend/: {NO_PACKAGES}; `cd frontend && npm install` makes it", ["frontend"]),
        (f"apps/a/, ./: {NO_ENVIRONMENT}; `uv sync` makes one", ["apps/a", ""]),
    ],
)
def test_its_folders(note: str, folders: list[str]) -> None:
    assert folders_in(note) == folders
