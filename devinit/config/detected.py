"""The project that a folder shows without a devinit.toml: what all sources say of it, merged."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.config.absence import only_databases
from devinit.config.discovery import usual_discovery_files
from devinit.kinds import kind_of
from devinit.model.defaults import project_name
from devinit.model.service import Project
from devinit.sources import SOURCES
from devinit.sources.merging import merged
from devinit.system.bounds import bounds_of


def detect(root: Path) -> Project:
    """Return the project that a folder's content suggests; it has no services when nothing is recognised."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    bounds = bounds_of(root)
    found = merged(source.read(bounds) for source in SOURCES if source.claims(root))
    notes = list(found.notes)
    if found.services and all(not kind_of(each).runs_a_command for each in found.services.values()):
        notes.append(only_databases(root, list(found.services)))
    return Project(
        name=project_name(root),
        root=root,
        services=found.services,
        environment=found.environment,
        discovery=usual_discovery_files(found.services),
        evidence=found.evidence,
        notes=tuple(notes),
    )
