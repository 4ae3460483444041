"""Findings about files and paths that make programs fail or run other code, before a start fails by them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.kinds.scripts import foreign_words, unreadable_scripts
from devinit.kinds.surroundings import warnings_about

CHECK = "surroundings"


def surroundings(root: Path) -> Iterator[Finding]:
    """Look for copied virtual environments, odd folder names, CRLF scripts and commands that sh does not have."""
    try:
        services = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services.values()
    except DevinitError:
        return  # reported by the check of the configuration
    for text in warnings_about(services, root):
        problem, _, advice = text.rpartition("; ")
        yield Finding(check=CHECK, problem=problem, advice=advice)
    for service in services:
        for text in dict.fromkeys(unreadable_scripts(service, root)):
            problem, _, advice = text.partition(": ")
            yield Finding(check=CHECK, problem=f"{service.name}: {problem}", advice=advice)
        for text in dict.fromkeys(foreign_words(service)):
            problem, _, advice = text.partition(": ")
            # Harmless, because the shell may have it after all: its start-up files can define commands.
            yield Finding(check=CHECK, problem=f"{service.name}: {problem}", advice=advice, harmless=True)
