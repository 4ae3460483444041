"""The last output line of a service since its start began, for the service's progress line."""

from __future__ import annotations

from devinit.errors import StateFileError
from devinit.logs import MARKER, log_path
from devinit.logs.secrets import mask_of
from devinit.logs.tail import Tail
from devinit.text import one_line, plain

LINES = 5
"""The number of lines to search, because the last ones may be empty."""


class LastOutput:
    """A reader of the last lines in the logs of a project's services."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._mask = mask_of(root)

    def of(self, service: str) -> str:
        """Return the last line of a service that is not empty; "" if there is none since its start."""
        try:
            lines = Tail(service, log_path(self._root, service)).last(LINES)
        except StateFileError:
            return ""  # it belongs to another user, as the supervisor reports
        for line in reversed(lines):
            if line.text.startswith(MARKER):
                return ""
            if said := one_line(plain(line.text)).strip():
                return self._mask(said)
        return ""
