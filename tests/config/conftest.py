"""The folder of a project, its files, and one-line loading of a devinit.toml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.config.load import load
from devinit.errors import ConfigError
from devinit.model.service import DatabaseSettings, Project


def with_names(project: Project) -> Project:
    """Return a project whose names do not depend on the folder's: a written configuration states its names."""
    services = {
        name: replace(each, settings=replace(settings, after_folder=()))
        for name, each in project.services.items()
        if (settings := each.settings_as(DatabaseSettings)) is not None
    }
    return replace(project, services=project.services | services)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout named shop in the home directory, so that a search upwards ends there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


@pytest.fixture
def write(root: Path) -> Callable[..., Path]:
    """Write a file of the project, and create its parent folders."""

    def writing(name: str, text: str = "") -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return writing


@pytest.fixture
def loaded(root: Path, write: Callable[..., Path]) -> Callable[..., Project]:
    """Load a project from the text of its devinit.toml."""

    def loading(text: str, profile: str | None = None) -> Project:
        write("devinit.toml", text)
        return load(root, profile=profile)

    return loading


@pytest.fixture
def refused(loaded: Callable[..., Project]) -> Callable[..., str]:
    """Return the error about an invalid devinit.toml: message and hint."""

    def refusing(text: str, profile: str | None = None) -> str:
        with pytest.raises(ConfigError) as caught:
            loaded(text, profile)
        return f"{caught.value.message} ({caught.value.hint})"

    return refusing
