"""A mailbox: how it is run."""

from __future__ import annotations

import sys

from devinit.kinds.provider import Place, WebProvider
from devinit.model.process import ProcessSpec
from devinit.model.service import Endpoint, Service
from devinit_mailbox.kind import MailboxKeys


class MailboxProvider(WebProvider):
    """Runs the server of this package."""

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec:
        """Return the server in the foreground. -E and -P: it imports nothing from the repository that it runs in."""
        title = (service.settings_as(MailboxKeys) or MailboxKeys()).title or "Mailbox"
        return ProcessSpec(
            argv=(sys.executable, "-EP", "-m", "devinit_mailbox.server", str(endpoint.port), title),
            directory=service.directory,
            environment=environment,
        )
