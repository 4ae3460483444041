"""Find the exporter of a format, built in or from another package."""

from __future__ import annotations

from importlib import import_module

from devinit.errors import UsageError
from devinit.exporters import BUILT_IN
from devinit.exporters.exporter import Exporter
from devinit.plug_ins import Group, plug_in_for, plug_ins

EXPORTERS_OF_PACKAGES = Group("devinit.exporters", "export format")


def exporter_for(name: str) -> Exporter:
    """Return the exporter of a format. Raise UsageError when it is unknown, ConfigError when it is broken."""
    if name in BUILT_IN:
        module = import_module(f"devinit.exporters.{name.replace('-', '_')}")
        found: Exporter = module.EXPORTER
        return found
    plug_in = plug_in_for(EXPORTERS_OF_PACKAGES, name)
    if plug_in is not None:
        return plug_in.load(Exporter)
    known = sorted({*BUILT_IN, *(each.name for each in plug_ins(EXPORTERS_OF_PACKAGES))})
    raise UsageError(f"there is no export format {name!r}", hint=f"formats: {', '.join(known)}")
