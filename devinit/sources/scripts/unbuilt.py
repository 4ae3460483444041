"""Find workspace packages that other programs import from built files which do not exist yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from devinit.sources.commands import programs
from devinit.sources.commands.workspace import Package, needed_by
from devinit.sources.packages import package_manager, read_package
from devinit.sources.shell import word
from devinit.system.bounds import Bounds

_NX = "nx.json"
"""With this file, nx builds the dependencies of a target by itself."""


def unbuilt(
    used: Mapping[str, str], packages: Mapping[str, Package], building: Iterable[str], bounds: Bounds
) -> Iterator[tuple[str, str]]:
    """Yield the folder of each unbuilt package, with a note; packages that other builds need come first.

    `used` maps each service to the package that it runs; `building` has the commands that build before the start.
    """
    if os.path.lexists(bounds.root / _NX):
        return
    started, before = set(used.values()), " ".join(building).split()
    importing: dict[str, str] = {}
    for service, importer in used.items():
        for each in needed_by(packages, packages[importer]) if importer in packages else ():
            importing.setdefault(each, service)
    order = sorted(importing, key=lambda each: (len(needed_by(packages, packages[each])), each))
    for name in order:
        package = packages[name]
        is_output = package.entry.partition("/")[0] in programs.OUTPUT
        if not is_output or "build" not in package.scripts or name in started:
            continue
        if f"--filter={name}" in before or os.path.lexists(bounds.root / package.folder / package.entry):
            continue
        folder = bounds.root / package.folder
        manager = package_manager(bounds, folder, read_package(folder, bounds) or {})
        made = f"`cd {word(package.folder)} && {manager} run build` makes it"
        yield f"{package.folder}/", f"{package.entry} is missing, which {importing[name]} imports; {made}"
