"""How each kind of service is run: the classes that `Kind.runner` names, loaded for a project with the kind."""

from __future__ import annotations

from devinit.kinds import KINDS
from devinit.kinds.provider import Place, Provider, Say

__all__ = ["PROVIDERS", "Place", "Provider", "Say"]


class Providers(dict[str, Provider]):
    """The providers by the names of their kinds; one that is asked for first is loaded then."""

    def __missing__(self, name: str) -> Provider:
        module, _, found = KINDS[name].runner.partition(":")
        # Not `importlib`, which takes half a millisecond of the supervisor's start.
        provider: Provider = getattr(__import__(module, fromlist=[found]), found)()
        self[name] = provider
        return provider


PROVIDERS = Providers()
