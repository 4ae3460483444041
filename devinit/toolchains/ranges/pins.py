"""Pinned versions in files of version managers: `.nvmrc`, `.python-version`, `.tool-versions`. Pure.

Every version that runs the same programs meets a pin: for Node a newer release of the same major version, for
Python and Ruby any patch release, for Go any newer release, because Go promises to be compatible.
"""

from __future__ import annotations

import re

from devinit.toolchains.ranges import npm, python
from devinit.toolchains.versions import LONGEST, Version, padded, version_of, whatever_the_rest

LTS = {
    "argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14, "gallium": 16, "hydrogen": 18,
    "iron": 20, "jod": 22, "krypton": 24,
}  # fmt: skip
"""Name → major version: https://github.com/nodejs/Release."""
EVERY_IS_LTS = 27
"""From this major version of Node on, odd ones get long-term support, too (same source)."""
_PREFIX = re.compile(r"(?:cpython|node|nodejs|ruby|go|prefix)[-:@]?(?=v?\d)", re.IGNORECASE)


def node_allows(wanted: str, version: Version) -> bool | None:
    """Return whether a Node version meets a pin; None for `node`, `latest`, and unknown syntax."""
    text = wanted.strip().lower()[:LONGEST]
    if text in {"lts/*", "lts", "--lts"}:
        return version[0] % 2 == 0 or version[0] >= EVERY_IS_LTS
    if text.startswith("lts/") or text in LTS:
        major = LTS.get(text.removeprefix("lts/"))
        return None if major is None else version[0] == major
    pinned = pinned_version(text)
    if pinned is None:
        return npm.allows(text, version) if text[:1] in {"<", ">", "^", "~", "="} else None
    return whatever_the_rest(version, lambda each: each[0] == pinned[0] and each >= padded(pinned))


def python_allows(wanted: str, version: Version) -> bool | None:
    """Return whether a Python version meets a pin; None for PyPy, names of environments, and `system`."""
    if wanted.strip()[:1] in {"<", ">", "=", "~", "!"}:
        return python.allows(wanted, version)
    pinned = pinned_version(wanted)
    return (
        None if pinned is None else version[:2] == pinned[:2] if len(pinned) > 1 else version[0] == pinned[0]
    )


def ruby_allows(wanted: str, version: Version) -> bool | None:
    """Return whether a Ruby version meets a pin; None for JRuby and other implementations."""
    return python_allows(wanted, version)


def at_least(wanted: str, version: Version) -> bool | None:
    """Return whether a version is at least the required one, as in the `go` line of go.mod."""
    pinned = pinned_version(wanted)
    return None if pinned is None else whatever_the_rest(version, lambda each: each >= padded(pinned))


def same_major(wanted: str, version: Version) -> bool | None:
    """Return whether a package manager has the major version in `packageManager`."""
    pinned = pinned_version(wanted)
    return None if pinned is None else version[0] == pinned[0]


def pinned_version(wanted: str) -> Version | None:
    """Return the version in a pin such as `v20.11.0`, `cpython-3.12` or `go1.22`; None without a number."""
    text = wanted.strip()[:LONGEST]
    found = _PREFIX.match(text)
    return version_of(text[found.end() :] if found else text)


def gem_allows(wanted: str, version: Version) -> bool | None:
    """Return whether the `ruby` line of a Gemfile allows a version: `3.2.2`, `~> 3.2`, `>= 3.1, < 3.4`."""
    return python.allows(wanted.replace("~>", "~="), version)
