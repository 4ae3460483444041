"""The first lines of the supervisor's process. The imports here determine the duration of a cold start.

Half of that time is the standard library: asyncio imports modules for TLS, for debugging and for callbacks of the
wrong kind, and msgspec duplicates of `typing`. All of them are deferred until they are used. None is blocked: a
library that the supervisor loads later finds every module that is installed.
"""

from __future__ import annotations

import gc
import sys

# The basis of `importlib.machinery`, without the half millisecond of the package.
from _frozen_importlib_external import PathFinder
from types import ModuleType

from devinit.system.import_path import keep_to_installation
from devinit.system.inherited import make_usual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

WITHHELD = ("ssl", "typing_extensions")
"""Modules that are hidden while asyncio and msgspec are imported; both work without them (15 ms)."""
LATER = ("asyncio.sslproto", "inspect", "ipaddress", "locale", "ssl", "textwrap", "tokenize")
"""Modules that asyncio, urllib, subprocess and traceback import for cases that hardly ever occur."""


class Later(ModuleType):
    """A placeholder for a module until its first use; from then on, it passes everything on to the module.

    `importlib.util.LazyLoader` would load the module when it is imported a second time: the import statement asks
    for `__spec__`, which counts as a use there.
    """

    # Any, here and below: the attributes of whichever module this stands for.
    def __getattr__(self, name: str) -> Any:
        # Code that examines all modules (`inspect`, reloaders) asks for `__file__` and the like.
        if name.startswith("__") and name != "__all__" and sys.modules.get(self.__name__) is self:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} yet")
        module = self._loaded()
        if name == "__all__" and not hasattr(module, name):
            # `from ssl import *` would look into our own dictionary, which is empty.
            return [each for each in vars(module) if not each.startswith("_")]
        return getattr(module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # Dunder names belong to the import system; any other is for the module (a test that replaces a function).
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(self._loaded(), name, value)

    def __dir__(self) -> Iterable[str]:
        return dir(self._loaded())

    def _loaded(self) -> ModuleType:
        """Return the module itself; the import system ensures that threads load it only once."""
        name = self.__name__
        is_first = sys.modules.get(name) is self
        if is_first:
            del sys.modules[name]
        __import__(name)
        if is_first and name in AFTERWARDS:
            AFTERWARDS[name](sys.modules[name])
        return sys.modules[name]


def boot() -> NoReturn:
    """Run the supervisor in this process, which was started only for that."""
    # The collector would repeatedly examine objects that stay; the supervisor enables it when it listens.
    gc.disable()
    make_usual()
    keep_to_installation()
    put_off()
    del sys.argv[0]
    from devinit.supervisor.__main__ import main  # after the modules that a boot does without are deferred

    sys.exit(main())


def put_off() -> None:
    """Import asyncio and msgspec without rarely used modules, which are loaded at their first use."""
    later = {name: Later(name) for name in LATER if name not in sys.modules}
    withheld = [name for name in WITHHELD if name not in sys.modules]
    sys.modules.update(later)
    sys.modules.update(dict.fromkeys(withheld))  # type: ignore[arg-type]  # None means: not to be found
    import asyncio

    import msgspec  # noqa: F401  the supervisor uses it; imported here, where it finds nothing to load

    for name in withheld:
        del sys.modules[name]
    sys.modules.update({name: later[name] for name in withheld if name in later})
    for name, module in later.items():
        package, _, child = name.rpartition(".")
        module.__spec__ = PathFinder.find_spec(name, sys.modules[package].__path__ if package else None)
        if package:
            # `import asyncio.sslproto` finds it loaded, and leaves this to the code that loaded it.
            setattr(asyncio, child, module)


def tell_asyncio(ssl: ModuleType) -> None:
    """Give asyncio the module that was hidden during its import; before it is loaded, no socket can use TLS."""
    for name in ("asyncio.base_events", "asyncio.selector_events"):
        if name in sys.modules:
            sys.modules[name].ssl = ssl  # type: ignore[attr-defined]  # asyncio's own name


AFTERWARDS: dict[str, Callable[[ModuleType], None]] = {"ssl": tell_asyncio}
"""Module → function that is called once it has been loaded."""
