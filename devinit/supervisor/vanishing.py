"""A checkout that is deleted or moved while its services run: nothing of it runs on in a folder that is gone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from devinit.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)

AFTER_SECONDS = 2.0
"""When the folder begins to be watched: no start waits for that."""
AWAY_SECONDS = 0.5
"""How long a folder may be away: whoever renames it and renames it back has not meant to end anything."""
LOOK_SECONDS = 10.0
"""How often it is looked for where the kernel does not tell."""


async def stop_with_folder(supervisor: Supervisor, leaving: asyncio.Event) -> None:
    """Stop everything, and let the supervisor leave, when the checkout is not there any more."""
    root = supervisor.stage.root
    await asyncio.sleep(AFTER_SECONDS)
    try:
        await until_gone(root)
    except FileNotFoundError:
        pass  # it was gone before it was watched
    except OSError as error:
        log.warning("%s cannot be watched: %s", root, error.strerror)
        return
    text = f"{root} was deleted or moved: everything that was started in it is stopped"
    log.warning("%s", text)
    supervisor.stage.note(text)
    await supervisor.stop(())
    leaving.set()


async def until_gone(root: Path) -> None:
    """Return when a folder is not where it was."""
    from devinit.system.folder import FolderWatch  # it loads ctypes, 3 ms: nobody waits for that here

    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    with FolderWatch(root) as folder:
        if (descriptor := folder.fileno()) is not None:
            loop.add_reader(descriptor, told.set)
        try:
            while folder.is_there():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if descriptor is None else None):
                        await told.wait()
                if not folder.is_there():
                    await asyncio.sleep(AWAY_SECONDS)
                told.clear()
        finally:
            if descriptor is not None:
                loop.remove_reader(descriptor)
