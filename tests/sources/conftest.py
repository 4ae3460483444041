"""A project's folder to write files into, as for the configuration."""

from __future__ import annotations

from tests.config.conftest import root, write

__all__ = ["root", "write"]
