"""A checkout that is deleted or moved while its services run: nothing of it runs on in a folder that is gone."""

from __future__ import annotations

import asyncio
import logging
import os

from devinit.supervisor.folders import AFTER_SECONDS, until_gone
from devinit.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)


async def stop_with_folder(supervisor: Supervisor, leaving: asyncio.Event) -> None:
    """Stop everything, and let the supervisor leave, when the checkout is not there any more."""
    root = supervisor.stage.root
    try:
        known = os.stat(root)  # noqa: PTH116  what is looked at again later is what stands here now
        await asyncio.sleep(AFTER_SECONDS)
        await until_gone(root, known)
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
