"""The first lines of the supervisor's process: what is imported here decides how long a cold start takes.

Half of it is the standard library: asyncio imports what it would need for TLS, for debugging and for callbacks of
the wrong kind, msgspec what `typing` has as well. What nobody here uses is kept out or put off.
"""

from __future__ import annotations

import gc
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

UNUSED = ("ssl", "typing_extensions")
"""Whoever imports these has an answer for a Python without them."""
LATER = ("inspect", "ipaddress", "locale", "textwrap", "tokenize")
"""Imported by asyncio, urllib, subprocess and traceback for cases that hardly ever occur: 8 ms together."""


class Later(ModuleType):
    """Stands for a module until somebody uses it.

    `importlib.util.LazyLoader` would load it as soon as it is imported a second time: the import statement asks
    for `__spec__`, which counts as a use there.
    """

    # Any: the attributes of whichever module it stands for.
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = __import__(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def boot() -> NoReturn:
    """Run the supervisor in this process, which was started for nothing else."""
    # The collector would look again and again at what stays; the supervisor enables it when it listens.
    gc.disable()
    put_off()
    del sys.argv[0]
    from devinit.supervisor.__main__ import main

    sys.exit(main())


def put_off() -> None:
    """Keep out what is not used, and put off what hardly ever is."""
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]  # None means: not to be found
    sys.modules.update({name: Later(name) for name in LATER if name not in sys.modules})
