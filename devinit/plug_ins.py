"""Plug-ins of packages that are installed beside devinit: kinds of services, sources, export formats.

They are found by entry points, but only for a name that is not built in and by `devinit doctor`, because a scan of
all packages takes milliseconds. Only packages in devinit's own environment count. A folder that is merely on the
path, like the current one or those of PYTHONPATH, may be the repository, whose code must not run just because
devinit inspects it.
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
    """One type of plug-in."""

    name: str
    """The group of the entry points: `devinit.kinds`."""
    noun: str
    """The word for it in errors: `provider`."""


class PlugIn(Struct, frozen=True, kw_only=True):
    """One plug-in, before any code of its package is loaded."""

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
        """Load the declaration in the package. Raise ConfigError if it is broken, or of another type."""
        try:
            found = self.point.load()
        except (Exception, SystemExit) as error:  # foreign code can raise anything
            raise self.broken(told(error)) from error
        article = "an" if wanted.__name__[0] in "AEIOU" else "a"
        if not isinstance(found, wanted):
            raise self.broken(f"{self.point.value} is not {article} {wanted.__name__}")
        name = getattr(found, "name", self.name)
        if name != self.name:
            raise self.broken(f"its entry point is called {self.name}, its {wanted.__name__.lower()} {name}")
        return found

    def broken(self, reason: str) -> ConfigError:
        """Return the error that names the package, with advice."""
        pip = f"{quote(sys.executable)} -m pip"
        return ConfigError(
            f'the {self.group.noun} "{self.name}" of {self.title} cannot be used: {reason}',
            hint=f"update the package ({pip} install --upgrade {self.package}), "
            f"or remove it ({pip} uninstall {self.package})",
        )


def plug_ins(group: Group) -> Iterator[PlugIn]:
    """Yield the plug-ins of packages in devinit's own environment, without loading them."""
    from importlib.metadata import distributions  # 20 ms, which a project without plug-ins does not pay

    seen = set()
    for distribution in distributions(path=own_folders()):
        points = distribution.entry_points.select(group=group.name)
        # A later folder may contain another version of the package.
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
    """Return the folders of packages that are installed for this Python."""
    of_user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [*site.getsitepackages(), *of_user]


def plug_in_for(group: Group, name: str) -> PlugIn | None:
    """Return the plug-in with this name. Raise ConfigError if two packages have one."""
    found = [each for each in plug_ins(group) if each.name == name]
    if len(found) > 1:
        raise ConfigError(
            f'the {group.noun} "{name}" is brought by {" and by ".join(each.title for each in found)}',
            hint=f"remove one of them: {quote(sys.executable)} -m pip uninstall {found[-1].package}",
        )
    return found[0] if found else None


def told(error: BaseException) -> str:
    """Return an error of foreign code in one line."""
    return f"{type(error).__name__}: {error}"
