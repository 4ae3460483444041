"""What packages that are installed beside devinit bring: kinds of services, sources, formats of an export.

Found by entry points. Read for a name that is not built in, and by `devinit doctor`: to look through all packages
takes milliseconds. Only what is installed beside devinit counts. A folder that merely is on the path, as the
current one or by PYTHONPATH, may be the repository, whose code is not run by looking at it.
"""

from __future__ import annotations

import site
import sys
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from devinit.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_Declared = TypeVar("_Declared")


class Group(Struct, frozen=True):
    """One sort of things that packages bring."""

    name: str
    """Of the entry points: `devinit.kinds`."""
    noun: str
    """What one is called in errors: `provider`."""


class PlugIn(Struct, frozen=True, kw_only=True):
    """One thing that a package brings, before anything of the package is loaded."""

    group: Group
    name: str
    package: str
    version: str
    point: EntryPoint

    @property
    def title(self) -> str:
        """The package with its version: "devinit-mailbox 1.0"."""
        return f"{self.package} {self.version}"

    def load(self, wanted: type[_Declared]) -> _Declared:
        """Load what the package declares. Raise ConfigError when it is broken, or something else."""
        try:
            found = self.point.load()
        except (Exception, SystemExit) as error:  # the code is not ours
            raise self.broken(told(error)) from error
        article = "an" if wanted.__name__[0] in "AEIOU" else "a"
        if not isinstance(found, wanted):
            raise self.broken(f"{self.point.value} is not {article} {wanted.__name__}")
        name = getattr(found, "name", self.name)
        if name != self.name:
            raise self.broken(f"its entry point is called {self.name}, its {wanted.__name__.lower()} {name}")
        return found

    def broken(self, reason: str) -> ConfigError:
        """Return the error that names the package, and what can be done."""
        pip = f"{quote(sys.executable)} -m pip"
        return ConfigError(
            f'the {self.group.noun} "{self.name}" of {self.title} cannot be used: {reason}',
            hint=f"update the package ({pip} install --upgrade {self.package}), "
            f"or remove it ({pip} uninstall {self.package})",
        )


def plug_ins(group: Group) -> Iterator[PlugIn]:
    """Yield what packages in devinit's own environment bring; nothing of them is loaded."""
    from importlib.metadata import distributions  # 20 ms, which a project without plug-ins does not pay

    seen = set()
    for distribution in distributions(path=own_folders()):
        points = distribution.entry_points.select(group=group.name)
        # Another version of it may lie in a folder that comes later.
        if not points or distribution.name in seen:
            continue
        seen.add(distribution.name)
        for point in points:
            yield PlugIn(
                group=group,
                name=point.name,
                package=distribution.name,
                version=distribution.version,
                point=point,
            )


def own_folders() -> list[str]:
    """Return the folders into which packages for this Python are installed."""
    of_user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [*site.getsitepackages(), *of_user]


def plug_in_for(group: Group, name: str) -> PlugIn | None:
    """Return what a package brings under this name. Raise ConfigError when two packages do."""
    found = [each for each in plug_ins(group) if each.name == name]
    if len(found) > 1:
        raise ConfigError(
            f'the {group.noun} "{name}" is brought by {" and by ".join(each.title for each in found)}',
            hint=f"remove one of them: {quote(sys.executable)} -m pip uninstall {found[-1].package}",
        )
    return found[0] if found else None


def told(error: BaseException) -> str:
    """Return an error of another package's code in one line."""
    return f"{type(error).__name__}: {error}"
