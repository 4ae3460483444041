"""Replace a command for one workspace package by the command of that package: `pnpm --filter web dev`."""

from __future__ import annotations

import re

from msgspec.structs import replace

from devinit.sources.commands.command import Command, understood
from devinit.sources.commands.scripts import flags_behind
from devinit.sources.commands.workspace import packages_of, selected
from devinit.sources.packages import package_manager, read_package
from devinit.system.bounds import Bounds

_ASSIGNMENTS = re.compile(r"(?:env[ \t]+)?(?:[A-Za-z_]\w{0,60}=[^\s'\"`$;&|]{0,500}[ \t]+)*")
_BEFORE = re.compile(r"(?:(?:npx|bunx)[ \t]+|(?:pnpm|yarn|npm)[ \t]+exec[ \t]+(?:--[ \t]+)?)?")


def in_its_package(command: Command, bounds: Bounds) -> Command:
    """Return the command that runs the script by the package's own manager, in the package's folder.

    That folder has its node_modules and its port, and turbo would hide variables of the environment from the
    script. A command that selects several packages, or that is not plain, stays as it is.
    """
    run = command.runs
    if run is None or run.is_here or len(run.scripts) != 1 or not run.packages or command.folder:
        return command
    assignments = _ASSIGNMENTS.match(command.text)
    prefix = assignments[0] if assignments else ""
    before = _BEFORE.match(command.text, len(prefix))
    if not command.text.startswith(run.runner, before.end() if before else len(prefix)):
        return command
    script = run.scripts[0]
    chosen = [each for each in selected(packages_of(bounds), run.packages) if script in each.scripts]
    if len(chosen) != 1:
        return command
    path = bounds.root / chosen[0].folder
    own = f"{package_manager(bounds, path, read_package(path, bounds) or {})} run {script}"
    text = prefix + own + flags_behind(understood(own), " ".join(run.arguments))
    return replace(understood(text), folder=chosen[0].folder)
