"""Findings about servers that lack extensions which the project's migrations create."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.kinds.providers import PROVIDERS, Place
from devinit.system.state_folders import state_folder


def extensions(root: Path) -> Iterator[Finding]:
    """Ask the kind of each service for the shortcomings of the chosen server."""
    try:
        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    except DevinitError:
        return  # reported by the check of the configuration
    data = Path(state_folder(root), "data")
    place = Place(project=project.name, root=root, data=data, environment=dict(os.environ), only_looks=True)
    for service in project.services.values():
        for problem, advice in PROVIDERS[service.provider].shortcomings(service, place):
            # Harmless, because the file with the migration may never be executed.
            yield Finding(
                check="extensions", problem=f"{service.name}: {problem}", advice=advice, harmless=True
            )
