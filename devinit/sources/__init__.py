"""The sources of services: one module or folder for each way in which a repository describes itself.

A new source needs its module (`source.Source`) and an entry in `SOURCES`. Importing this module loads nothing but
`os`.
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
