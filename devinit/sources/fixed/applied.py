"""Apply the constants in the code of applications to the detected services."""

from __future__ import annotations

from devinit.kinds import kind_of
from devinit.sources.fixed.containers import containers
from devinit.sources.fixed.keeping import with_fixed_ports
from devinit.sources.fixed.logins import told_nowhere, with_logins
from devinit.sources.fixed.reading import constants
from devinit.sources.fixed.stores import stores
from devinit.sources.source import Found
from devinit.system.bounds import Bounds


def with_constants(found: Found, bounds: Bounds) -> Found:
    """Return the result with the logins and the fixed ports that the code of its applications has as constants."""
    folders = {each.directory for each in found.services.values() if kind_of(each).runs_a_command}
    deepest_first = sorted(folders, key=lambda folder: (-len(folder.parts), folder))
    named = containers(found.containers)
    has_data = any(not kind_of(each).runs_a_command for each in found.services.values())
    stored = [each for folder in deepest_first for each in stores(bounds, folder, named)] if has_data else []
    found = with_logins(found, stored, bounds.root)
    fixed = (*constants(bounds, deepest_first, named), *told_nowhere(found, stored))
    return with_fixed_ports(found, fixed)
