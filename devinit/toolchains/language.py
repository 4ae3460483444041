"""The files and folders of a language: lock files, manifests, and folders that installations create."""

from __future__ import annotations

from msgspec import Struct


class Language(Struct, frozen=True, kw_only=True):
    """One language. The digest of a set-up depends on the order of its files, so new ones come last."""

    name: str
    lock_files: tuple[str, ...] = ()
    """Files that lock all dependencies of a project or a whole workspace."""
    manifests: tuple[str, ...] = ()
    """Files that declare the dependencies of one folder."""
    products: tuple[str, ...] = ()
    """Folders that an installation creates."""
