"""The project that a folder shows without a devinit.toml, merged from all sources."""

from __future__ import annotations

import os
from collections.abc import Collection
from itertools import chain
from pathlib import Path

from msgspec.structs import replace

from devinit.config.absence import only_databases
from devinit.config.discovery import usual_discovery_files
from devinit.config.env_examples import folders_of, missing_env_files
from devinit.config.source_plug_ins import found_by_packages
from devinit.errors import StateFileError
from devinit.kinds import kind_of
from devinit.model.defaults import project_name
from devinit.model.names import CONFIGURATION_FILE, DETECTION, EXPORT_MARK
from devinit.model.service import Project
from devinit.sources import SOURCES
from devinit.sources.merging import merged
from devinit.sources.references import with_ports_of_pages, without_addresses_of, without_port_twins
from devinit.system.bounds import Bounds, bounds_of
from devinit.system.files import LARGEST_SETTINGS, read_text
from devinit.text import one_line


def detect(root: Path) -> Project:
    """Return the project that a folder's content suggests; it has no services if nothing is recognised."""
    project = beneath(root, ())
    missing = missing_env_files(project.root, sorted(folders_of(project.services.values())))
    project = replace(project, notes=(*project.notes, *map(one_line, missing)))
    if project.services and all(not kind_of(each).runs_a_command for each in project.services.values()):
        notes = (*project.notes, only_databases(project.root, list(project.services)))
        project = replace(project, notes=notes)
    return project


def is_own_export(origin: str, bounds: Bounds) -> bool:
    """Return whether a source is an export of devinit, from which devinit would read its own output.

    An export that was made from a devinit.toml counts as a source once that file is gone.
    """
    path = bounds.root / origin
    if not origin or not path.is_file() or bounds.target_beyond(path):
        return False
    try:
        first = (read_text(path, most=LARGEST_SETTINGS) or "").partition("\n")[0]
    except StateFileError:
        return False
    has_configuration = os.path.lexists(bounds.root / CONFIGURATION_FILE)
    return EXPORT_MARK in first and (has_configuration or f" from {DETECTION};" in first)


def beneath(root: Path, wanted: Collection[str], left_out: Collection[str] = ()) -> Project:
    """Return the detected project beneath a devinit.toml that has services of these names and leaves some out."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    bounds = bounds_of(root)
    own = (source.read(bounds) for source in SOURCES if source.claims(root))
    read = chain(own, found_by_packages(root, bounds))
    found = merged((each for each in read if not is_own_export(each.origin, bounds)), wanted)
    found = without_addresses_of(found, dict.fromkeys(left_out, "is left out"))
    if any(kind_of(each).runs_a_command for each in found.services.values()):
        # Reading code compiles patterns for 11 ms; a project that devinit.toml alone
        # describes must not pay for that.
        from devinit.sources.fixed.applied import with_constants

        found = with_constants(found, bounds)
    found = with_ports_of_pages(without_port_twins(found, wanted))
    return Project(
        name=project_name(root),
        root=root,
        services=found.services,
        environment=found.environment,
        discovery=usual_discovery_files(found.services),
        evidence=found.evidence,
        notes=tuple(dict.fromkeys(map(one_line, found.notes))),
    )
