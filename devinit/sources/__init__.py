"""The ways in which a repository describes itself: one module or folder each (`source.Source`).

Another one is added by its module and a line in this table. Importing it loads nothing but `os`.
"""

from __future__ import annotations

from devinit.sources import (
    applications,
    compose,
    devcontainer,
    hints,
    pm2,
    process_compose,
    procfile,
    scripts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Source

SOURCES: tuple[Source, ...] = (
    applications,
    procfile,
    process_compose,
    scripts,
    compose,
    pm2,
    hints,
    devcontainer,
)
