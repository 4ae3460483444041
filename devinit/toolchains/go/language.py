"""File names of Go."""

from __future__ import annotations

from devinit.toolchains.language import Language

GO = Language(name="go", lock_files=("go.sum", "go.work", "go.work.sum"), manifests=("go.mod",))
