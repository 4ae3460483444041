"""The base of every test: a machine on which devinit was never used."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.network import enter_own_network

OBEYED = {
    "CLICOLOR_FORCE",
    "DEBUG_PORT_DISCOVERY",
    "FORCE_COLOR",
    "FORCE_MODE",
    "NO_COLOR",
    "PORT",
    "PORT_DISCOVERY_TIMEOUT",
    "QUIET",
    "SKIP_PORT_DISCOVERY",
}
"""Variables that devinit obeys, besides DEVINIT_* and *_PORT."""


# Some container images set this variable. Then each command in a test would compile all of devinit, and its
# imports, for itself, which doubles its start time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that runs the tests in the background makes them, and all their processes, ignore these signals.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class Machine(NamedTuple):
    """The folders of devinit's files during a test."""

    state: Path
    runtime: Path


HYPOTHESIS_SETTINGS = "_hypothesis_internal_use_settings"
"""The attribute with a test's settings, which Hypothesis' own plugin for pytest also reads."""
LONG_FILES = frozenset({"test_withstood.py"})
"""Files whose tests must wait for minutes in total."""


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Count the folders of the tests; `mktemp` would scan those of all other tests for each new one."""
    return itertools.count()


@pytest.fixture(scope="session")
def state_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parent of the tests' state folders."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="session")
def runtime_folders() -> Iterator[Path]:
    """The parent of the tests' runtime folders, not below pytest's: Unix socket paths have at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    folder.chmod(0o711)  # as accessible as /tmp, for tests with other users
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, numbers: Iterator[int]
) -> Path:
    """Return a new folder, as pytest's own fixture does."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}{next(numbers)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def machine(
    state_folders: Path, runtime_folders: Path, numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """Give each test its own state and runtime folders, without any variable of devinit."""
    for name in list(os.environ):
        if name in OBEYED or name.startswith("DEVINIT_") or name.endswith("_PORT"):
            monkeypatch.delenv(name)
    number = str(next(numbers))
    state, runtime = state_folders / number, runtime_folders / number
    state.mkdir(mode=0o700)
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return Machine(state, runtime)


def pytest_configure(config: pytest.Config) -> None:
    """Give a worker of pytest-xdist its own network."""
    if hasattr(config, "workerinput"):
        enter_own_network()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the long files first on parallel workers, so that no worker is left alone with one at the end.

    Also disable time limits for properties, because another process may have had the processor meanwhile.
    """
    if hasattr(config, "workerinput"):
        count = Counter(item.path for item in items)
        # As pytest-xdist does itself, except for long files with few tests.
        items.sort(key=lambda item: (item.path.name not in LONG_FILES, -count[item.path]))
    if "hypothesis" not in sys.modules:
        return
    from hypothesis import HealthCheck, settings  # 0.3 s, which most runs of a few tests do not need

    # A property keeps the settings from the import of its module, so a profile would come too late.
    for item in items:
        function = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        if (stated := getattr(function, HYPOTHESIS_SETTINGS, None)) is not None:
            patient = {*stated.suppress_health_check, HealthCheck.too_slow}
            setattr(
                function,
                HYPOTHESIS_SETTINGS,
                settings(stated, deadline=None, suppress_health_check=sorted(patient, key=str)),
            )
