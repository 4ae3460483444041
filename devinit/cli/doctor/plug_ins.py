"""Whether the kinds of services that other packages bring can be used."""

from __future__ import annotations

from collections.abc import Iterator

from devinit.cli.doctor.finding import Finding
from devinit.config.plug_ins import usable
from devinit.config.schema import COMMON_KEYS
from devinit.errors import DevinitError
from devinit.kinds.plugged import plug_ins
from devinit.kinds.providers import runner_of


def broken() -> Iterator[Finding]:
    """Load every plug-in, as a project that names it would."""
    for plug_in in plug_ins():
        try:
            runner_of(usable(plug_in, COMMON_KEYS))
        except DevinitError as error:
            yield Finding(check="plug-ins", problem=error.message, advice=error.hint or "")


def titles() -> dict[str, str]:
    """Return the package that brings each kind: "mailbox" → "devinit-mailbox 1.0"."""
    return {each.name: each.title for each in plug_ins()}
