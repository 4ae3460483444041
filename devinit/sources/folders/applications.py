"""What the folders of a project show about its services, without running or installing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from devinit.model.evidence import Evidence
from devinit.model.service import Service
from devinit.sources.folders import data, node, python
from devinit.sources.folders.finding import FILES, FOLDERS, Finding
from devinit.sources.folders.links import links_out
from devinit.sources.source import Found
from devinit.sources.unreadable import problem_of
from devinit.system.bounds import Bounds

Detector: TypeAlias = Callable[[Bounds, Mapping[str, Service]], Finding]
"""From a project's folder and the services found so far to one more service, or to notes alone."""


def found_in(bounds: Bounds) -> Found:
    """Return the services that the content of a project's folder suggests; none when nothing is recognised."""
    services: dict[str, Service] = {}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    notes: list[str] = []
    for detector in DETECTORS:
        finding = detector(bounds, services)
        notes.extend(finding.notes)
        if finding.service is not None:
            services[finding.service.name] = finding.service
            evidence[finding.service.name] = finding.evidence
    notes.extend(unreadable(bounds))
    notes.extend(links_out(bounds))
    return Found(origin="backend/ and frontend/", services=services, evidence=evidence, notes=tuple(notes))


def unreadable(bounds: Bounds) -> Iterator[str]:
    """Yield a line for each file that would show something if it could be read."""
    for folder in FOLDERS:
        for pattern in FILES:
            for path in sorted((bounds.root / folder).glob(pattern)):
                if problem := problem_of(path, bounds):
                    yield f"{path.relative_to(bounds.root)} cannot be read: {problem}"


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
"""In the order in which services are started; a new kind of application is one more function here."""
