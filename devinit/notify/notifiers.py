"""The table of notifiers; a separate module, because commands read its files without needing asyncio (30 ms)."""

from __future__ import annotations

from devinit.notify.discovery.keeping import DiscoveryFiles
from devinit.notify.notifier import Notifier

NOTIFIERS: tuple[type[Notifier], ...] = (DiscoveryFiles,)
"""In the order in which each is called for a service."""
