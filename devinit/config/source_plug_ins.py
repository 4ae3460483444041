"""Sources from other packages, found by the entry points of `devinit.sources`.

Every detection queries every source, and searching all packages takes longer than most detections. So only
packages named `devinit-…` are searched.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from devinit.errors import ConfigError
from devinit.plug_ins import Group, PlugIn, own_folders, plug_ins, told
from devinit.sources.source import Found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinit.sources.source import Source
    from devinit.system.bounds import Bounds

SOURCES_OF_PACKAGES = Group("devinit.sources", "source")
FOLDERS = "devinit_"
"""The beginning of the folder in which an installer stores the metadata of a package named `devinit-…`."""
NAMES = ("APPLICATIONS", "DATABASES", "claims", "read")
"""The attributes of a source (`sources.source.Source`)."""


def found_by_packages(root: Path, bounds: Bounds) -> Iterator[Found]:
    """Yield the results of the packages' sources. A broken source yields a note, and does not stop detection."""
    for plug_in in plug_ins(SOURCES_OF_PACKAGES) if may_be_installed() else ():
        try:
            source = source_of(plug_in)
            if not source.claims(root):
                continue
            found = source.read(bounds)
            if not isinstance(found, Found):
                raise plug_in.broken("read() returns no Found")  # noqa: TRY301 - it is said like its other faults
        except ConfigError as error:
            yield Found(notes=(f"{error.message} ({error.hint})",))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the code is not ours
            broken = plug_in.broken(told(error))
            yield Found(notes=(f"{broken.message} ({broken.hint})",))
        else:
            yield found


def source_of(plug_in: PlugIn) -> Source:
    """Load a source. Raise ConfigError if it is broken, or not a source."""
    source = plug_in.load(object)
    missing = [name for name in NAMES if not hasattr(source, name)]
    if missing:
        raise plug_in.broken(f"{plug_in.point.value} has no {missing[0]}")
    return source  # type: ignore[return-value]  # it has what a source has


def may_be_installed() -> bool:
    """Whether a package with such a name is installed next to devinit."""
    for folder in own_folders():
        try:
            names = os.listdir(folder)  # noqa: PTH208 - names are wanted
        except OSError:
            continue
        if any(name.startswith(FOLDERS) and name.endswith((".dist-info", ".egg-info")) for name in names):
            return True
    return False
