"""Which secrets a project has, without asking its supervisor: what `.env.runtime` says."""

from __future__ import annotations

import os

from devinit.logs.mask import Mask

ENVIRONMENT_FILE = ".env.runtime"


def mask_of(root: str | os.PathLike[str]) -> Mask:
    """Return what hides the secrets of a project; without the file only passwords in URLs are recognised."""
    try:
        with open(os.path.join(root, ENVIRONMENT_FILE), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123  the fast commands do without pathlib
            return Mask(values_of(file.read()))
    except OSError:
        return Mask()


def values_of(text: str) -> dict[str, str]:
    """Return the variables of a file that devinit wrote: one a line, bare or in quotes."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: bare(value) for name, equals, value in pairs if equals}


def bare(value: str) -> str:
    """Return a value without the quotes around it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
