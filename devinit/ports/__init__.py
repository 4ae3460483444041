"""Ports of services: machine-wide leases, holds until services bind, conflicts, and remembered ports.

Called, the package is the function of this name: `devinit.ports([("api", 8000), ("admin", 8001)])`. Python gives
a package that was imported the name that the function has in `devinit`, so both have to be one thing.
"""

import sys
from types import ModuleType


class _Ports(ModuleType):
    def __call__(self, *group: object, **options: object) -> object:
        # By name: the function stands above all layers, and only a program that calls it needs it.
        from importlib import import_module

        return import_module("devinit.leased_ports").ports(*group, **options)


sys.modules[__name__].__class__ = _Ports
