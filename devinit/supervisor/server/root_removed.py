"""Stop the services of a checkout that is deleted or moved while they run."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from devinit.supervisor.files.folders import AFTER_SECONDS, until_gone
from devinit.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)


def folder_at(root: Path) -> os.stat_result | None:
    """Return the identity of a checkout's folder; None when it is gone already."""
    try:
        return root.stat()
    except FileNotFoundError:
        return None


async def stop_with_folder(
    supervisor: Supervisor, folder: os.stat_result | None, leaving: asyncio.Event
) -> None:
    """Stop everything, and let the supervisor leave, when the checkout is no longer this folder."""
    root = supervisor.stage.root
    if folder is not None:
        try:
            await asyncio.sleep(AFTER_SECONDS)
            await until_gone(root, folder)
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
