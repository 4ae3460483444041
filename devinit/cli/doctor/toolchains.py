"""Findings about versions, environments, packages and tools that the services need and the machine lacks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.kinds import kind_of
from devinit.kinds.process.versions import mismatches_of
from devinit.kinds.providers import PROVIDERS, Place
from devinit.system.state_folders import state_folder

CHECK = "toolchains"


def toolchains(root: Path) -> Iterator[Finding]:
    """Compare the repository's requirements with what is installed; what a start only warns of is harmless."""
    try:
        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
        data = Path(state_folder(root), "data")
    except DevinitError:
        return  # reported by the checks of the configuration and of the folders
    place = Place(project=project.name, root=root, data=data, environment=dict(os.environ), only_looks=True)
    found: dict[object, Finding] = {}
    reported = set()
    for service in project.services.values():
        if not kind_of(service).runs_a_command:
            continue
        for each in mismatches_of(service, place):
            # The same mismatch may be a warning for one service, and a refusal for another.
            key = each.there.path, *(asked.file for asked in each.asked)
            if each.refused_by or key not in found:
                problem, is_harmless = each.problem(root), not each.refused_by
                found[key] = Finding(
                    check=CHECK, problem=problem, advice=each.advice(root), harmless=is_harmless
                )
                reported.add(problem)
        lacking = PROVIDERS[service.provider].lacking(service, place)
        if lacking is not None and lacking.missing not in reported:
            problem = f"{service.name}: {lacking.missing}"
            found.setdefault(lacking.missing, Finding(check=CHECK, problem=problem, advice=lacking.advice))
    yield from found.values()
