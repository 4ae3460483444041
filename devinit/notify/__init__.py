"""Who learns where services answer: one folder each (`notifier.Notifier`).

Another notifier is added by its folder and a line in this table.
"""

from __future__ import annotations

from devinit.notify.discovery.keeping import DiscoveryFiles
from devinit.notify.notifier import Notifier

NOTIFIERS: tuple[type[Notifier], ...] = (DiscoveryFiles,)
"""In the order in which they learn of a service."""
