"""Findings about what other users of the machine can reach in this checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from devinit.cli.doctor.finding import Finding
from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.system.accounts import open_to, other_people


def databases(root: Path) -> Iterator[Finding]:
    """Look for servers without a password on a machine with other accounts, whose users could change the data."""
    try:
        services = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None).services.values()
    except DevinitError:
        return  # reported by the check of the configuration
    unguarded = [each for each in services if each.settings is not None and each.settings.lets_everyone_in]
    others = other_people() if unguarded else ()
    for service in unguarded:
        if others:
            yield Finding(
                check="databases",
                problem=f"{service.name} {open_to(others)}",
                advice=f'`password = "random"` in [services.{service.name}] of devinit.toml keeps them out, '
                "for applications that connect with the published URL",
                harmless=True,
            )
