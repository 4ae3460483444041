"""Findings about plug-ins of other packages that cannot be used: kinds of services, sources, export formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from devinit.cli.doctor.finding import Finding
from devinit.config.plug_ins import usable
from devinit.config.schema import COMMON_KEYS
from devinit.config.source_plug_ins import SOURCES_OF_PACKAGES, source_of
from devinit.errors import DevinitError
from devinit.exporters import BUILT_IN
from devinit.exporters.exporter import Exporter
from devinit.exporters.find import EXPORTERS_OF_PACKAGES
from devinit.kinds.plugged import KINDS_OF_PACKAGES
from devinit.kinds.providers import runner_of
from devinit.plug_ins import Group, PlugIn, plug_ins


def broken() -> Iterator[Finding]:
    """Load every plug-in, as a project that names it would."""
    groups: tuple[tuple[Group, Callable[[PlugIn], object]], ...] = (
        (KINDS_OF_PACKAGES, _load_kind),
        (SOURCES_OF_PACKAGES, source_of),
        (EXPORTERS_OF_PACKAGES, _load_exporter),
    )
    for group, load in groups:
        for plug_in in plug_ins(group):
            try:
                load(plug_in)
            except DevinitError as error:
                yield Finding(check="plug-ins", problem=error.message, advice=error.hint or "")


def _load_kind(plug_in: PlugIn) -> None:
    runner_of(usable(plug_in, COMMON_KEYS))


def _load_exporter(plug_in: PlugIn) -> None:
    if plug_in.name in BUILT_IN:
        raise plug_in.broken("devinit has a format of that name itself")
    plug_in.load(Exporter)


def titles() -> dict[str, str]:
    """Return the package of each plug-in, by the plug-in's name: "mailbox" → "devinit-mailbox 1.0"."""
    groups = (KINDS_OF_PACKAGES, SOURCES_OF_PACKAGES, EXPORTERS_OF_PACKAGES)
    return {each.name: each.title for group in groups for each in plug_ins(group)}
