"""`devinit` and `python -m devinit`: until a command can answer Ctrl-C, and after that, Ctrl-C just ends it.

Python would print a traceback of the imports. Only what comes before this module is out of our hands, so the first
statements are those that matter, without even `from __future__`.
"""

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it

BEFORE = _signal.getsignal(_signal.SIGINT)
"""What Ctrl-C did; a caller may have us ignore it."""
if BEFORE is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import atexit  # noqa: E402  as above
import os  # noqa: E402  as above
import sys  # noqa: E402  as above

from devinit.system.import_path import keep_to_installation  # noqa: E402  as above
from devinit.system.inherited import make_usual  # noqa: E402  as above

INTERRUPTED = 130


def run() -> int:
    """Run the command of this process and return its exit code, unless the process can end with it at once."""
    code = run_to_end()
    if has_nothing_to_end():
        os._exit(code)
    return code


def run_to_end() -> int:
    """Run the command and return its exit code."""
    make_usual()
    keep_to_installation()
    from devinit.cli.main import main  # as late as possible: the modules that it needs come from there

    if BEFORE is not _signal.default_int_handler:
        return main()
    try:
        _signal.signal(_signal.SIGINT, BEFORE)
        return main()
    except KeyboardInterrupt:
        # Between the lines, or a second one while the first is answered.
        return INTERRUPTED
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def has_nothing_to_end() -> bool:
    """Whether nothing is left but to take every module apart, 3 ms for what ends with the process anyway."""
    callbacks = atexit._ncallbacks()  # noqa: SLF001  it has no other way to say that there are none
    if callbacks or "threading" in sys.modules or sys.gettrace() is not None:
        return False
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return False  # Python complains of that as it always did
    return True


if __name__ == "__main__":
    sys.exit(run())
