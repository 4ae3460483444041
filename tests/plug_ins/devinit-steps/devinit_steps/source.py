"""Services of `steps.txt`: a line `NAME PORT COMMAND` for each."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.service import Service
from devinit.sources.source import Found, Weight
from devinit.system.bounds import Bounds
from devinit.system.files import read_text

APPLICATIONS = ("steps.txt: a line `NAME PORT COMMAND` for each service",)
DATABASES = ()


def claims(folder: str | PathLike[str]) -> bool:
    """Tell whether a folder has the file."""
    return Path(folder, "steps.txt").is_file()


def read(bounds: Bounds) -> Found:
    """Return a service for each line."""
    services: dict[str, Service] = {}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    text = read_text(bounds.root / "steps.txt", inside=bounds.root) or ""
    for number, line in enumerate(text.splitlines(), 1):
        name, port, command = line.split(maxsplit=2)
        services[name] = Service(
            name=name,
            provider="process",
            command=command,
            directory=bounds.root,
            port=preferring(name, int(port), browser=True),
        )
        evidence[name] = (Evidence(about="command", file="steps.txt", line=number, says=line),)
    return Found(origin="steps.txt", weight=Weight.PROCESSES, services=services, evidence=evidence)
