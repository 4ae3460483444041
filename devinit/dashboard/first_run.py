"""A hint for a user who opens the dashboard for the first time."""

from __future__ import annotations

from devinit.errors import StateFileError
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import state_directory

HINT = "? shows every key, Enter types into a service, q leaves: services keep running"
SEEN = "dashboard-seen"


def hint_of_first_run() -> str:
    """Return the hint the first time; "" later, and if that cannot be recorded."""
    try:
        path = state_directory() / SEEN
        if read_text(path) is not None:
            return ""
        write_atomically(path, "")
    except StateFileError:
        return ""
    return HINT
