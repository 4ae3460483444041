"""Database servers of a project, with default settings or with the settings that the project states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from devinit.kinds import Context, Kind, usual_settings
from devinit.model.defaults import preferring, project_name
from devinit.model.service import Service, Settings


def server(kind: Kind, root: Path) -> Service:
    """Return the server of a kind with its usual port and settings; its database has the name of the folder."""
    port = kind.default_port and preferring(kind.name, kind.default_port, browser=kind.has_pages)
    settings = usual_settings(kind, project_name(root), is_named=False)
    return Service(name=kind.name, provider=kind.name, directory=root, port=port or None, settings=settings)


def settings_of(kind: Kind, keys: Mapping[str, Any], root: Path) -> Settings | None:
    """Return the settings of a server from keys of devinit.toml (Any: texts and lists of texts).

    Keys that the kind does not have are skipped. Raise ValueError for an invalid value.
    """
    known = {key: value for key, value in keys.items() if key in kind.own.__struct_fields__}
    problems = _Problems()
    context = Context(project=project_name(root), is_named=False, where=problems, folder=problems.folder)
    settings = kind.own(**known).settings(context)
    if problems.texts:
        raise ValueError(problems.texts[0])
    return settings


class _Problems(Struct):
    """Collects the problems that a kind reports about its keys."""

    texts: list[str] = field(default_factory=list)

    def at(self, *_key: str | int) -> _Problems:
        """Return the place of a key, which is the same for all: the text names the problem."""
        return self

    def add(self, text: str, _hint: str | None = None) -> None:
        """Add a problem."""
        self.texts.append(text)

    def folder(self, _key: str, text: str) -> Path:
        """Return a path as it is: none of these keys names a folder."""
        return Path(text)
