"""`devinit` and `python -m devinit`: Ctrl-C ends the process silently before and after a command can handle it.

Otherwise Python would print a traceback of the imports. Only the code before this module is beyond our control,
so the signal is set in the first statements, before any other import, even `from __future__`.
"""

# The C module beneath `signal`, which takes 4 ms to build its enumerations.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it

BEFORE = _signal.getsignal(_signal.SIGINT)
"""The handler of SIGINT before; the parent process may have set the signal to be ignored."""
if BEFORE is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import atexit  # noqa: E402  as above
import os  # noqa: E402  as above
import sys  # noqa: E402  as above

from devinit.system.import_path import keep_to_installation  # noqa: E402  as above
from devinit.system.inherited import make_usual  # noqa: E402  as above

INTERRUPTED = 130


def run() -> int:
    """Run the command and return its exit code; if no cleanup is left to do, exit at once instead."""
    code = run_to_end()
    if has_nothing_to_end():
        os._exit(code)
    return code


def run_to_end() -> int:
    """Run the command and return its exit code."""
    make_usual()
    keep_to_installation()
    from devinit.cli.main import main  # imported only after the import path is set

    if BEFORE is not _signal.default_int_handler:
        return main()
    try:
        _signal.signal(_signal.SIGINT, BEFORE)
        return main()
    except KeyboardInterrupt:
        # Ctrl-C between two statements, or a second one while the first is handled.
        return INTERRUPTED
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def has_nothing_to_end() -> bool:
    """Whether the interpreter needs no shutdown: tearing modules down takes 3 ms and achieves nothing here."""
    callbacks = atexit._ncallbacks()  # noqa: SLF001  there is no public way to find out
    if callbacks or "threading" in sys.modules or sys.gettrace() is not None:
        return False
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return False  # Python reports the error when it shuts down
    return True


if __name__ == "__main__":
    sys.exit(run())
