"""Kinds of services that other packages bring, by the entry points of `devinit.kinds`.

Read for a provider that no built-in kind has, and by `devinit doctor` and `devinit schema`: to look through all
packages takes milliseconds. Only what is installed beside devinit counts. A folder that merely is on the path,
as the current one or by PYTHONPATH, may be the repository, whose code is not run by looking at it.
"""

from __future__ import annotations

import site
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from shlex import quote

from msgspec import Struct

from devinit.errors import ConfigError, ProviderError
from devinit.kinds.kind import Kind

GROUP = "devinit.kinds"


class PlugIn(Struct, frozen=True, kw_only=True):
    """A kind that a package brings, before anything of the package is loaded."""

    name: str
    """The kind's name."""
    package: str
    version: str
    point: EntryPoint

    @property
    def title(self) -> str:
        """The package with its version: "devinit-mailbox 1.0"."""
        return f"{self.package} {self.version}"

    def kind(self) -> Kind:
        """Load what the kind is. Raise ConfigError when it is broken."""
        try:
            kind = self.point.load()
        except (Exception, SystemExit) as error:  # the code is not ours
            raise self.broken(told(error)) from error
        if not isinstance(kind, Kind):
            raise self.broken(f"{self.point.value} is not a Kind")
        if kind.name != self.name:
            raise self.broken(f"its entry point is called {self.name}, its kind {kind.name}")
        return kind

    def broken(self, reason: str) -> ConfigError:
        """Return the error that names the package, and what can be done."""
        pip = f"{quote(sys.executable)} -m pip"
        return ConfigError(
            f'the provider "{self.name}" of {self.title} cannot be used: {reason}',
            hint=f"update the package ({pip} install --upgrade {self.package}), "
            f"or remove it ({pip} uninstall {self.package})",
        )


def plug_ins() -> Iterator[PlugIn]:
    """Yield the kinds that packages in devinit's own environment bring; nothing of them is loaded."""
    seen = set()
    for distribution in distributions(path=own_folders()):
        points = distribution.entry_points.select(group=GROUP)
        # Another version of it may lie in a folder that comes later.
        if not points or distribution.name in seen:
            continue
        seen.add(distribution.name)
        for point in points:
            yield PlugIn(
                name=point.name, package=distribution.name, version=distribution.version, point=point
            )


def own_folders() -> list[str]:
    """Return the folders into which packages for this Python are installed."""
    of_user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [*site.getsitepackages(), *of_user]


def plug_in_for(name: str) -> PlugIn | None:
    """Return what brings a kind of this name. Raise ConfigError when two packages do."""
    found = [each for each in plug_ins() if each.name == name]
    if len(found) > 1:
        raise ConfigError(
            f'the provider "{name}" is brought by {" and by ".join(each.title for each in found)}',
            hint=f"remove one of them: {quote(sys.executable)} -m pip uninstall {found[-1].package}",
        )
    return found[0] if found else None


def kind_of_plug_in(name: str) -> Kind:
    """Return the kind of a service that was started with a plug-in. Raise ConfigError when it cannot be had."""
    plug_in = plug_in_for(name)
    if plug_in is None:
        raise ConfigError(
            f'the provider "{name}" is not there any more', hint="install the package again that brought it"
        )
    return plug_in.kind()


def cannot_run(name: str, error: BaseException) -> ProviderError:
    """Return the error for the kind of a plug-in whose class in `Kind.runner` cannot be had."""
    plug_in = plug_in_for(name)
    if plug_in is None:
        return ProviderError(f'the provider "{name}" cannot be used: {told(error)}')
    broken = plug_in.broken(told(error))
    return ProviderError(broken.message, hint=broken.hint)


def told(error: BaseException) -> str:
    """Return an error of another package's code in one line."""
    return f"{type(error).__name__}: {error}"
