"""`devinit` and `python -m devinit`: until a command can answer Ctrl-C, and after that, Ctrl-C just ends it.

Python would print a traceback of the imports. Only what comes before this module is out of our hands.
"""

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it
import sys

INTERRUPTED = 130


def run() -> int:
    """Run the command of this process and return its exit code."""
    before = _signal.getsignal(_signal.SIGINT)
    if before is not _signal.default_int_handler:
        from devinit.cli.main import main  # a caller has us ignore it

        return main()
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from devinit.cli.main import main  # as late as possible: see above

    try:
        _signal.signal(_signal.SIGINT, before)
        return main()
    except KeyboardInterrupt:
        # Between the lines, or a second one while the first is answered.
        return INTERRUPTED
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(run())
