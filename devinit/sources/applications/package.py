"""A Node package, as the detectors of Node use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree
from devinit.sources.commands.migrations import Migration, by_hand, migration_of, migrations_used
from devinit.sources.commands.workspace import needed_by
from devinit.sources.files import table
from devinit.sources.packages import line_of_script
from devinit.sources.shell import word


class Package(Struct, frozen=True):
    """A Node package and its package.json."""

    tree: Tree
    folder: str
    described: dict[str, Any]
    """Its package.json, unchecked."""
    manager: str

    @property
    def scripts(self) -> dict[str, Any]:
        """Its scripts."""
        return table(self.described, "scripts")

    @property
    def packages(self) -> dict[str, Any]:
        """Its dependencies, including those for development."""
        return table(self.described, "dependencies") | table(self.described, "devDependencies")

    def script_line(self, script: str, about: str = "command") -> tuple[Evidence, ...]:
        """Return the line of one of its scripts; empty when the text does not show it."""
        lines = line_of_script(self.tree.path(self.folder), script, self.tree.bounds)
        return tuple(replace(each, about=about) for each in lines)

    def running(self, script: str, given: str = "") -> str:
        """Return the command that runs a script, with arguments for its program."""
        command = f"{self.manager} run {word(script)}"
        if not given:
            return command
        # npm keeps flags for itself unless they follow --; pnpm would pass the -- on.
        return f"{command} -- {given}" if self.manager == "npm" else f"{command} {given}"

    def migrations(self) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
        """Return the commands that migrate its database, with the lines that show them.

        Without migrations of its own, those of the workspace packages that it uses count.
        """
        bounds = self.tree.bounds
        own = migration_of(self.tree.path(self.folder), self.described, self.manager, bounds)
        found = (own,) if own else tuple(self._migrations_used())
        return tuple(each.command for each in found), tuple(each.said for each in found)

    def unmigrated(self) -> str:
        """Return a note on a migration that nothing runs by itself; "" without one."""
        packages = self.tree.workspace() if self.folder else {}
        this = next((each for each in packages.values() if each.folder == self.folder), None)
        used = [packages[name].folder for name in sorted(needed_by(packages, this))] if this else []
        places = ((each, self.tree.package(each)) for each in (self.folder, *used))
        found = (
            by_hand(self.tree.path(folder), described, self.manager, self.tree.bounds)
            for folder, described in places
            if described
        )
        return next(filter(None, found), "")

    def _migrations_used(self) -> Iterator[Migration]:
        packages = self.tree.workspace() if self.folder else {}
        this = next((each for each in packages.values() if each.folder == self.folder), None)
        if this is not None:
            yield from migrations_used(this, packages, self.manager, self.tree.bounds)
