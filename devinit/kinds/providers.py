"""The providers of kinds: the classes that `Kind.runner` names, loaded for projects with a service of the kind."""

from __future__ import annotations

from devinit.kinds import BUILT_IN, KINDS, Kind
from devinit.kinds.provider import Place, Provider, Say

__all__ = ["PROVIDERS", "Place", "Provider", "Say"]


class Providers(dict[str, Provider]):
    """The providers by the names of their kinds; each is loaded at its first use."""

    def __missing__(self, name: str) -> Provider:
        self[name] = provider = runner_of(KINDS[name])
        return provider


def runner_of(kind: Kind) -> Provider:
    """Load the provider of a kind. Raise ProviderError if that of a plug-in cannot be used."""
    try:
        return _made(kind)
    except (Exception, SystemExit) as error:
        if kind in BUILT_IN:
            raise
        from devinit.kinds.plugged import cannot_run  # hardly any project has a plug-in

        raise cannot_run(kind.name, error) from error


def _made(kind: Kind) -> Provider:
    module, _, name = kind.runner.partition(":")
    # Not `importlib`, which takes half a millisecond of the supervisor's start.
    provider = getattr(__import__(module, fromlist=[name]), name)()
    if not isinstance(provider, Provider):
        raise TypeError(f"{kind.runner} is not a Provider")
    return provider


PROVIDERS = Providers()
