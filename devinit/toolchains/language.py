"""The names by which a language is known: files that lock or declare packages, folders that are installed into."""

from __future__ import annotations

from msgspec import Struct


class Language(Struct, frozen=True, kw_only=True):
    """One language. The order of its files is that of the digest of a set-up: new ones come last."""

    name: str
    lock_files: tuple[str, ...] = ()
    """They lock all that a project, or a whole workspace, needs."""
    manifests: tuple[str, ...] = ()
    """They declare what one folder needs."""
    products: tuple[str, ...] = ()
    """Folders that an installation makes."""
