"""Detection that a checkout runs with another state folder: another user's, another HOME's, a container's.

Its supervisor cannot be found from here. Two files in the checkout show it: `.env.runtime` shows who started it
last, and a discovery file that is refreshed shows that it runs.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from devinit.errors import StateFileError, SupervisorError
from devinit.model.defaults import DISCOVERY
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.state_folders import folder_of
from devinit.system.writer import is_of_another, writer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = "with another state folder (another user, HOME or container)"
UNSEEN = "its services are neither seen nor stopped from here"
ADVICE = "run the command there; `devinit start` starts a second set of services here"
ADVICE_BESIDE = "what runs here is not concerned; `devinit start` writes it for those of this one"
NEVER_USED = "none"
"""Stands for the id of a user who has never started anything; every other id belongs to another user."""


def said_of(root: str, runs_here: Callable[[], bool] | None = None) -> SupervisorError | None:
    """Return the message about a checkout that runs, or was last started, with another state folder.

    `runs_here`: returns whether its services run with this state folder as well, where that is possible. With it,
    there is a message only if another state folder started the checkout last.
    """
    try:
        is_last = is_of_another(Path(root), _writer(root))
    except StateFileError:
        is_last = False
    if not is_last and runs_here is not None:
        return None
    if not (runs := _is_kept(root)) and not is_last:
        return None
    does = "runs" if runs else "was last started"
    if runs_here is not None and runs_here():
        return SupervisorError(
            f"{root} {does} {OTHER} as well: {ENVIRONMENT_FILE} names those services, which are neither seen nor "
            "stopped from here",
            hint=ADVICE_BESIDE,
        )
    return SupervisorError(f"{root} {does} {OTHER}: {UNSEEN}", hint=ADVICE)


def runs_there(root: str) -> SupervisorError | None:
    """Return the error for a checkout that runs with another state folder, as a fresh discovery file proves."""
    return said_of(root) if _is_kept(root) else None


def _writer(root: str) -> str:
    return writer_of(Path(folder_of(root))) or NEVER_USED


def _is_kept(root: str) -> bool:
    from devinit.notify.discovery.file import is_kept_by_another  # only where services may run elsewhere

    for file in (*DISCOVERY.values(), *_configured(root)):
        try:
            if is_kept_by_another(Path(root), Path(root, file), _writer(root), time.time()):
                return True
        except StateFileError:
            continue  # not a discovery file
    return False


def _configured(root: str) -> list[str]:
    """Return the discovery files in devinit.toml; empty if it cannot be read."""
    from devinit.model.names import CONFIGURATION_FILE  # as above
    from devinit.system.files import LARGEST_SETTINGS, read_text
    from devinit.toml import parse_toml

    try:
        text = read_text(os.path.join(root, CONFIGURATION_FILE), most=LARGEST_SETTINGS)  # noqa: PTH118 - text
        table = parse_toml(text or "").get("discovery")
    except (StateFileError, ValueError, RecursionError):
        return []
    return [each for each in table.values() if isinstance(each, str)] if isinstance(table, dict) else []
