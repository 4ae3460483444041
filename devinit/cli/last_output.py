"""The last line that a service has printed since a start began, for the one line that it has while it starts."""

from __future__ import annotations

from devinit.errors import StateFileError
from devinit.logs import MARKER, log_path
from devinit.logs.secrets import mask_of
from devinit.logs.tail import Tail
from devinit.text import one_line, plain

LINES = 5
"""How many are looked at: the last ones may be empty."""


class LastOutput:
    """The logs of a project's services, as far as a start is concerned."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._mask = mask_of(root)

    def of(self, service: str) -> str:
        """Return the last line of a service that says something; "" when it has printed none yet."""
        try:
            lines = Tail(service, log_path(self._root, service)).last(LINES)
        except StateFileError:
            return ""  # it belongs to another user, which the supervisor says
        for line in reversed(lines):
            if line.text.startswith(MARKER):
                return ""
            if said := one_line(plain(line.text)).strip():
                return self._mask(said)
        return ""
