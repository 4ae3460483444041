"""Whether each PostgreSQL has the extensions that the project's migrations create."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.kinds.postgres.extensions import lacking, told, wanted_by
from devinit.kinds.programs import recall
from devinit.model.service import Service
from devinit.system.state_folders import state_folder


def extensions(root: Path) -> Iterator[Finding]:
    """Compare what migrations create with what the servers have that were chosen."""
    try:
        services = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services.values()
    except DevinitError:
        return  # reported by the check of the configuration
    homes = {each.name: Path(state_folder(root), "data", each.name) for each in services if _is_ours(each)}
    chosen = {name: choice.program for name, home in homes.items() if (choice := recall(home)) is not None}
    wanted = wanted_by(root) if chosen else {}
    for name, program in chosen.items():
        if missing := lacking(wanted, program):
            said, _, advice = told(missing, program, homes[name] / f"pg{program.major}").partition(". ")
            # Perhaps a file that is never carried out: no reason to fail.
            yield Finding(check="extensions", problem=f"{name}: {said}", advice=advice, harmless=True)


def _is_ours(service: Service) -> bool:
    return service.provider == "postgres" and service.external_url is None
