"""The end of a page's dashboard when its server is gone, even if that was killed."""

from __future__ import annotations

import os
import select
import sys
from threading import Thread


def end_with_server() -> None:
    """End this process when its server is gone; otherwise it would run for ever."""
    Thread(target=_wait, name="server", daemon=True).start()


def _wait() -> None:
    pipe = select.poll()
    pipe.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]  # the server's pipe to this process
    pipe.poll()
    # A clean exit would write to a pipe without a reader, and fail. There is nothing to save.
    os._exit(0)
