"""The end of the terminal that the dashboard is shown on, for a dashboard that SIGHUP does not end.

A process that inherited an ignored SIGHUP (nohup, some launchers) gets no signal. Textual reads nothing from a
terminal that is gone, takes that for nothing yet, and reads again at once, for ever.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


def watch(descriptor: int, gone: Callable[[], object]) -> None:
    """Call `gone` from another thread once the terminal behind a descriptor is gone. Nothing is read from it."""
    own = os.dup(descriptor)  # Textual may close, and the system reuse, the number
    threading.Thread(target=_wait, args=(own, gone), name="devinit hang-up", daemon=True).start()


def _wait(descriptor: int, gone: Callable[[], object]) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # what is always reported: that it is hung up, or broken
    [(_, events)] = poll.poll()
    os.close(descriptor)
    if not events & select.POLLNVAL:  # a system that cannot tell for terminals
        gone()
