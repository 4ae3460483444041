"""Kinds of services from other packages, found by the entry points of `devinit.kinds`."""

from __future__ import annotations

from devinit.errors import ConfigError, ProviderError
from devinit.kinds.kind import Kind
from devinit.plug_ins import Group, plug_in_for, told

KINDS_OF_PACKAGES = Group("devinit.kinds", "provider")


def kind_of_plug_in(name: str) -> Kind:
    """Return the kind of a service that was started with a plug-in. Raise ConfigError if it is unavailable."""
    plug_in = plug_in_for(KINDS_OF_PACKAGES, name)
    if plug_in is None:
        raise ConfigError(
            f'the provider "{name}" is not there any more', hint="install the package again that brought it"
        )
    return plug_in.load(Kind)


def cannot_run(name: str, error: BaseException) -> ProviderError:
    """Return the error for the kind of a plug-in whose class in `Kind.runner` cannot be loaded."""
    plug_in = plug_in_for(KINDS_OF_PACKAGES, name)
    if plug_in is None:
        return ProviderError(f'the provider "{name}" cannot be used: {told(error)}')
    broken = plug_in.broken(told(error))
    return ProviderError(broken.message, hint=broken.hint)
