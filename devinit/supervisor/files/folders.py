"""Wait until a folder is not where it was: a checkout, or the data of a server."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

AFTER_SECONDS = 2.0
"""When a folder begins to be watched: no start waits for that."""
AWAY_SECONDS = 0.5
"""How long a folder may be away: a user who renames it and renames it back has not meant to end anything."""
LOOK_SECONDS = 10.0
"""How often it is looked for where the kernel does not tell."""


async def until_gone(root: Path, known: os.stat_result | None = None) -> None:
    """Return when a folder is not where it was, or another one is: not the one that is `known`, or there now."""
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
            # Whatever is deleted beside the folder wakes us, in /tmp hundreds of times a second: nothing is
            # listened to meanwhile.
            await asyncio.sleep(AWAY_SECONDS)
