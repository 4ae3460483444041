"""Specifies what every source keeps to, also one that is added tomorrow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from devinit.config.absence import looked_for
from devinit.sources import SOURCES
from devinit.sources.source import Source
from devinit.system.bounds import bounds_of

LIGHT = {"os", "devinit", "devinit.sources"}


def name_of(source: Source) -> str:
    assert isinstance(source, ModuleType)
    return source.__name__


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
class TestASource:
    def test_loads_nothing_but_os_until_it_reads(self, source: Source) -> None:
        code = (
            f"import os, sys\nbefore = {{*sys.modules}}\nimport {name_of(source)} as source\n"
            "source.claims('.')\nprint(*sorted({*sys.modules} - before))"
        )

        answer = subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        loaded = set(answer.stdout.split()) - {name_of(each) for each in SOURCES}
        assert loaded <= LIGHT | {"__future__"}

    def test_claims_no_empty_folder_and_none_that_is_missing(self, source: Source, root: Path) -> None:
        assert not source.claims(root)
        assert not source.claims(root / "missing")

    def test_finds_nothing_where_there_is_nothing(self, source: Source, root: Path) -> None:
        found = source.read(bounds_of(root))

        assert (found.services, found.environment, found.notes) == ({}, {}, ())

    def test_says_what_it_looks_for(self, source: Source) -> None:
        said = "\n".join(looked_for())

        assert source.APPLICATIONS or source.DATABASES
        assert all(text in said for text in (*source.APPLICATIONS, *source.DATABASES))
