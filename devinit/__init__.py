"""One command brings a web stack up on a developer's machine, on ports that work, and keeps it up.

For applications, test suites and scripts of a checkout:

    devinit.discover("backend")      where it answers now; None while it does not
    devinit.wait_for("backend")      the same, as soon as it answers
    devinit.watch("backend")         the same, each time that it changes

For a program that devinit does not start:

    devinit.port("backend", 8000)    a port that no other project has, given back at the end
    devinit.ports([("api", 8000), ("admin", 8001)])
"""

__all__ = [
    "Discovered", "__version__", "discover", "lease_port", "lease_ports", "port", "ports", "wait_for", "watch",
]  # fmt: skip
__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.addresses import Discovered, discover, wait_for
    from devinit.leased_ports import lease_port, lease_ports, port, ports
    from devinit.watched import watch
else:
    _MODULES = dict.fromkeys(("lease_port", "lease_ports", "port", "ports"), "leased_ports") | {
        "watch": "watched"
    }

    def __getattr__(name: str) -> object:
        # Imported late: every command imports this package, but few programs need these functions.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"devinit.{_MODULES.get(name, 'addresses')}"), name)
