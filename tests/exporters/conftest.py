"""Exports of a project, as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devinit.exporters.exporter import Export
from devinit.exporters.find import exporter_for
from devinit.resolving.resolve import NOTHING_RUNS, Present
from tests.resolving.conftest import SHOP, Resolve, resolved, root

__all__ = ["resolved", "root"]

Exported = Callable[..., Export]


@pytest.fixture
def exported(resolved: Resolve) -> Exported:
    """Export a project with a configuration."""

    def made(form: str, text: str = SHOP, present: Present = NOTHING_RUNS) -> Export:
        exporter = exporter_for(form)
        return exporter.render(resolved(text, exporter.reader, present))

    return made
