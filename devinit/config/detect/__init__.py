"""Zero configuration: what a folder shows about its services, without running or installing anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from devinit.config.absence import only_databases
from devinit.config.detect import data, node, python
from devinit.config.detect.finding import Finding
from devinit.config.detect.links import links_out
from devinit.config.detect.unreadable import problem_of, unreadable
from devinit.config.discovery import usual_discovery_files
from devinit.kinds import kind_of
from devinit.model.defaults import project_name
from devinit.model.service import Project, Service
from devinit.system.bounds import Bounds, bounds_of

Detector: TypeAlias = Callable[[Bounds, Mapping[str, Service]], Finding]
"""From a project's folder and the services found so far to one more service, or to notes alone."""


def detect(root: Path) -> Project:
    """Return the project that a folder's content suggests; it has no services when nothing is recognised."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would leave a checkout reached by a symlink
    bounds = bounds_of(root)
    services: dict[str, Service] = {}
    notes: list[str] = []
    for detector in DETECTORS:
        finding = detector(bounds, services)
        notes.extend(finding.notes)
        if finding.service is not None:
            services[finding.service.name] = finding.service
    notes.extend(unreadable(bounds))
    notes.extend(links_out(bounds))
    if services and all(not kind_of(service).runs_a_command for service in services.values()):
        notes.append(only_databases(root, list(services)))
    return Project(
        name=project_name(root),
        root=root,
        services=services,
        discovery=usual_discovery_files(services),
        notes=tuple(notes),
    )


def _backend(bounds: Bounds, found: Mapping[str, Service]) -> Finding:
    """Find `backend/`: a Python application, else a Node server."""
    folder = bounds.root / "backend"
    needs = tuple(name for name in ("postgres", "redis") if name in found)
    if not folder.is_dir() or not bounds.holds(folder):
        return Finding()
    return (
        python.backend(bounds, folder, needs)
        or node.server(bounds, folder, name="backend", port=8000, depends_on=needs)
        or _nothing_in(
            bounds,
            folder,
            "backend/: no FastAPI, Starlette, Flask, Django or Node application was recognised",
        )
    )


def _frontend(bounds: Bounds, found: Mapping[str, Service]) -> Finding:
    """Find `frontend/`: a package with a dev script."""
    folder = bounds.root / "frontend"
    needs = ("backend",) if "backend" in found else ()
    if not folder.is_dir() or not bounds.holds(folder):
        return Finding()
    return node.server(bounds, folder, name="frontend", port=3000, depends_on=needs) or _nothing_in(
        bounds, folder, "frontend/: no package.json with a dev or start script was found"
    )


def _nothing_in(bounds: Bounds, folder: Path, note: str) -> Finding:
    """Return the note that nothing was found, unless that is the fault of a file which is named anyway."""
    return Finding() if problem_of(folder / "package.json", bounds) else Finding(notes=(note,))


DETECTORS: tuple[Detector, ...] = (data.postgres, data.redis, _backend, _frontend)
"""In the order in which services are started; a new kind of project is one more function here."""
