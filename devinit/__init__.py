"""One command brings a web stack up on a developer's machine, on ports that work, and keeps it up.

For applications, test suites and scripts of a checkout:

    devinit.discover("backend")      where it answers now; None while it does not
    devinit.wait_for("backend")      the same, as soon as it answers
"""

__all__ = ["Discovered", "__version__", "discover", "wait_for"]
__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.addresses import Discovered, discover, wait_for
else:

    def __getattr__(name: str) -> object:
        # Every command imports this package, and few programs ask for an address.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from devinit import addresses

        return getattr(addresses, name)
