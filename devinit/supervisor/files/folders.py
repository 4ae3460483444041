"""Waits until a folder is no longer in its place: a checkout, or the data of a server."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

AFTER_SECONDS = 2.0
"""Seconds before a folder is watched, so that no start waits for that."""
AWAY_SECONDS = 0.5
"""Seconds that a folder may be missing: a user who renames it and renames it back does not mean to end
anything.
"""
LOOK_SECONDS = 10.0
"""Seconds between looks where the kernel does not report changes."""


async def until_gone(root: Path, known: os.stat_result | None = None) -> None:
    """Return when a folder is gone, or is no longer the `known` one (by default the present one)."""
    from devinit.system.folder import FolderWatch  # it loads ctypes, 3 ms: nothing waits for that here

    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    with FolderWatch(root, known) as folder:
        descriptor = folder.fileno()
        while folder.is_there():
            told.clear()
            if descriptor is not None:
                loop.add_reader(descriptor, told.set)
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if descriptor is None else None):
                        await told.wait()
            finally:
                if descriptor is not None:
                    loop.remove_reader(descriptor)
            # Any deletion next to the folder wakes us, in /tmp hundreds of times a second. So we do not listen
            # during this pause.
            await asyncio.sleep(AWAY_SECONDS)
