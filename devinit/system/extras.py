"""The command that installs a missing extra of devinit; the installer is not always pip."""

from __future__ import annotations

import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

_UV_CACHE = ("archive-v", "environments-v")
"""Names of the folders in uv's cache from which `uvx` runs a program."""


def command_for(extra: str) -> str:
    """Return the command that installs an extra of devinit into the environment that currently runs it."""
    wanted = f"'devinit[{extra}]'"
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").exists():
        return f"uv tool install {wanted}"
    if (prefix / "pipx_metadata.json").exists():
        return f"pipx install --force {wanted}"
    if any(part.startswith(_UV_CACHE) for part in prefix.parts):
        return f"uvx --from {wanted} devinit"
    if sys.prefix == sys.base_prefix and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        return f"pipx install {wanted}"  # PEP 668: pip refuses here
    if find_spec("pip") is None:
        return f"uv pip install --python {quote(sys.executable)} {wanted}"
    return f"{quote(sys.executable)} -m pip install {wanted}"
