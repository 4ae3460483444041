"""The table of notifiers; apart from the package, because commands read its files and need no asyncio (30 ms)."""

from __future__ import annotations

from devinit.notify.discovery.keeping import DiscoveryFiles
from devinit.notify.notifier import Notifier

NOTIFIERS: tuple[type[Notifier], ...] = (DiscoveryFiles,)
"""In the order in which they learn of a service."""
