"""A package for Node as its detectors see it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree
from devinit.sources.files import table
from devinit.sources.packages import line_of_script
from devinit.sources.shell import word


class Package(Struct, frozen=True):
    """A package, and what is known of it before its scripts are looked at."""

    tree: Tree
    folder: str
    described: dict[str, Any]
    """Its package.json: nothing about it has been checked."""
    manager: str

    @property
    def scripts(self) -> dict[str, Any]:
        """Its scripts."""
        return table(self.described, "scripts")

    @property
    def packages(self) -> dict[str, Any]:
        """What it depends on, also for development."""
        return table(self.described, "dependencies") | table(self.described, "devDependencies")

    def script_line(self, script: str, about: str = "command") -> tuple[Evidence, ...]:
        """Return the line of one of its scripts; nothing when it is not found as text."""
        lines = line_of_script(self.tree.path(self.folder), script, self.tree.bounds)
        return tuple(replace(each, about=about) for each in lines)

    def running(self, script: str, given: str = "") -> str:
        """Return the command that runs a script, with words for its program behind it."""
        command = f"{self.manager} run {word(script)}"
        if not given:
            return command
        # npm keeps flags for itself unless they stand after --; pnpm would pass the -- on.
        return f"{command} -- {given}" if self.manager == "npm" else f"{command} {given}"
