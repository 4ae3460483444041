"""Detection of a closed terminal, for a dashboard that SIGHUP does not end.

A process that inherited an ignored SIGHUP (from nohup or some launchers) gets no signal. Textual reads nothing
from a closed terminal, treats that as no input yet, and reads again at once, in an endless loop.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


def watch(descriptor: int, gone: Callable[[], object]) -> None:
    """Call `gone` from another thread once the terminal of a descriptor is gone. It reads nothing from it."""
    own = os.dup(descriptor)  # Textual may close the number, and the system may reuse it
    threading.Thread(target=_wait, args=(own, gone), name="devinit hang-up", daemon=True).start()


def _wait(descriptor: int, gone: Callable[[], object]) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # no events requested: hang-ups and errors are always reported
    [(_, events)] = poll.poll()
    os.close(descriptor)
    if not events & select.POLLNVAL:  # set on systems that cannot poll terminals
        gone()
