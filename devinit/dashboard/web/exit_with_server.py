"""The dashboard of a page notices that its server is gone, also when that was killed."""

from __future__ import annotations

import os
import select
import sys
from threading import Thread


def end_with_server() -> None:
    """End this process when its server can tell it nothing any more: without that it would stay for ever."""
    Thread(target=_wait, name="server", daemon=True).start()


def _wait() -> None:
    pipe = select.poll()
    pipe.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]  # it is how the server talks to it
    pipe.poll()
    # A proper end would write farewells to a pipe without a reader, and fail. Nothing is left to be kept.
    os._exit(0)
