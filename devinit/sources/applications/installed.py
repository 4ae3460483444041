"""Find missing packages and environments of programs, with the command that installs them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from shlex import quote

from devinit.model.setup_words import NO_ENVIRONMENT, NO_PACKAGES
from devinit.sources.applications.tree import Tree, joined, upwards
from devinit.sources.applications.unit import Unit, listed
from devinit.sources.applications.workspaces import manager_of, workspace_of
from devinit.sources.commands.migrations import RUN, client_missing
from devinit.sources.commands.workspace import needed_by
from devinit.sources.files import table
from devinit.toolchains.fingerprint import found_on
from devinit.toolchains.node.managers import INSTALLED, install_with, install_without
from devinit.toolchains.python.installers import installer_of


def missing(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note for each place with missing packages, with the programs that need them."""
    needed: dict[tuple[str, str], list[str]] = {}
    for unit in units:
        for found in _missing_for(tree, unit):
            folders = needed.setdefault(found, [])
            if unit.folder not in folders:
                folders.append(unit.folder)
    for (what, command), folders in needed.items():
        named = listed([f"{folder or '.'}/" for folder in folders])
        where = f"{named}: " if any(folders) else ""
        yield f"{where}{what.format(command=command)}"


def _missing_for(tree: Tree, unit: Unit) -> Iterator[tuple[str, str]]:
    match unit.language:
        case "node":
            yield from _packages_of_node(tree, unit.folder)
            yield from _client_of_prisma(tree, unit.folder)
        case "python":
            yield from _environment(tree, unit.folder)
        case "php":
            if not tree.path(joined(unit.folder, "vendor")).exists():
                yield "vendor is missing; `{command}` makes it", _in(unit.folder, "composer install")
        case "elixir":
            if not tree.path(joined(unit.folder, "deps")).exists():
                yield "deps is missing; `{command}` makes it", _in(unit.folder, "mix deps.get")
            # The watchers in config/dev.exs run programs that are installed there.
            assets = joined(unit.folder, "assets")
            if tree.package(assets) is not None:
                yield from _packages_of_node(tree, assets)


def _packages_of_node(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    described = tree.package(folder) or {}
    scripts = table(described, "scripts")
    if not (table(described, "dependencies") or table(described, "devDependencies")) and all(
        str(text).split()[:1] in (["node"], ["bun"], ["deno"]) for text in scripts.values()
    ):
        return
    for place in upwards(folder):
        if any(tree.path(joined(place, name)).exists() for name in INSTALLED):
            return
    top = workspace_of(tree, folder)
    manager = manager_of(tree, folder)
    command = install_with(manager) if _is_here(manager) else _install_without(tree, folder, manager)
    yield f"{NO_PACKAGES}; `{{command}}` makes it", _in(top, command)


def _client_of_prisma(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """Yield the clients of Prisma that have not been generated, for a package and for those that it uses."""
    packages = tree.workspace() if folder else {}
    this = next((each for each in packages.values() if each.folder == folder), None)
    used = [packages[name].folder for name in sorted(needed_by(packages, this))] if this else []
    for place in (folder, *used):
        output = client_missing(tree.path(place), tree.package(place) or {}, tree.bounds)
        if output is not None:
            name = output.relative_to(tree.bounds.root).as_posix().replace("{", "{{").replace("}", "}}")
            command = f"{RUN[manager_of(tree, place)]} prisma generate"
            yield f"{name}, the client of Prisma, is missing; `{{command}}` makes it", _in(place, command)


def _environment(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    for place in upwards(folder):
        if any(environment.rpartition("/")[0] == place for environment in tree.environments):
            return
    found = installer_of(
        upwards(folder),
        lambda place, name: tree.path(joined(place, name)).exists(),
        lambda place, name: tree.text(joined(place, name)),
    )
    if found is not None:
        place, installer = found
        command = installer.command if _is_here(installer.program) else installer.without_its_program()
        yield f"{NO_ENVIRONMENT}; `{{command}}` makes one", _in(place, command)


def _install_without(tree: Tree, folder: str, manager: str) -> str:
    """Return a command that installs packages by npm, because their package manager is missing."""
    from devinit.toolchains.node.asking import manager_version  # only where it is missing

    texts = (tree.text(joined(place, "package.json")) for place in upwards(folder))
    version = next(filter(None, (manager_version(manager, text) for text in texts)), None)
    return install_without(manager, version) if _is_here("npx") else install_with(manager)


def _is_here(program: str) -> bool:
    """Return whether a program is on the PATH."""
    return found_on(os.environ.get("PATH", os.defpath), program) is not None


def _in(folder: str, command: str) -> str:
    return f"cd {quote(folder)} && {command}" if folder else command
