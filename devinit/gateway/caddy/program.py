"""Find a Caddy to run: the one of the extra `gateway`, or one on PATH that is new enough."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from devinit.errors import ConfigError, StateFileError
from devinit.system.extras import command_for
from devinit.system.files import read_text, write_atomically

OLDEST = (2, 11)
"""Oldest tested version. 2.6 (Debian 12) supports neither inherited sockets nor socket modes."""
ANSWER_SECONDS = 20.0
KNOWN = "caddy-version.json"


def find_caddy(folder: Path) -> str:
    """Return the path of the program. Raise ConfigError, with advice, if there is none or it is too old.

    The version of a file is cached in `folder`, as asking for it takes as long as starting Caddy.
    """
    beside = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    found = [str(each / "caddy") for each in beside if os.access(each / "caddy", os.X_OK)]
    if (on_path := shutil.which("caddy")) is not None:
        found.append(on_path)
    versions = {path: version_of(path, folder) for path in dict.fromkeys(found)}
    for path, version in versions.items():
        if version >= OLDEST:
            return path
    needed = ".".join(map(str, OLDEST))
    hint = f"{command_for('gateway')} installs Caddy; without names (`names = false`, no --names) nothing needs it"
    if not versions:
        raise ConfigError("pages by name need Caddy, which is not installed", hint=hint)
    path, version = next(iter(versions.items()))
    told = ".".join(map(str, version)) or "of an unknown version"
    raise ConfigError(f"pages by name need Caddy {needed} or newer: {path} is {told}", hint=hint)


def version_of(path: str, folder: Path) -> tuple[int, ...]:
    """Return a program's version; empty if it reports none."""
    stat = os.stat(path)  # noqa: PTH116  paths are text here
    key = f"{path} {stat.st_size} {stat.st_mtime_ns}"
    try:
        known = json.loads(read_text(folder / KNOWN) or "{}")
        if isinstance(known, dict) and isinstance(numbers := known.get(key), list):
            return tuple(int(each) for each in numbers)
    except (StateFileError, ValueError, TypeError, RecursionError):
        pass  # ask again
    try:
        answer = subprocess.run(
            [path, "version"],
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    version = parsed(answer.stdout)
    if version:
        write_atomically(folder / KNOWN, json.dumps({key: version}) + "\n", mode=0o600, durable=False)
    return version


def parsed(said: str) -> tuple[int, ...]:
    """Return the numbers in the output of `caddy version`: "v2.11.7 h1:…", or "2.6.2" in Debian."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", said.strip())
    return tuple(int(each) for each in match.groups() if each is not None) if match else ()
