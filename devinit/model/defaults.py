"""What a service gets when nothing is said, alike for configured and for detected ones."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from devinit.model.names import DISCOVERY_FILE
from devinit.model.port import ATTEMPTS, HIGHEST_PORT, ConflictPolicy, PortRequest
from devinit.model.service import DatabaseSettings

LOCAL_HOST = "127.0.0.1"
DISCOVERY = {"backend": DISCOVERY_FILE}
"""The discovery files that are written without being asked for."""
DISCOVERY_REFRESH_SECONDS = 10.0
LONGEST_IDENTIFIER = 63
"""PostgreSQL cuts longer names off without an error."""

# CREATE ROLE refuses the first two (and pg_…) even in quotes; the templates always exist.
_RESERVED_IDENTIFIERS = ("public", "none", "template0", "template1")


def project_name(root: Path) -> str:
    """Return a folder's name as a project's name; what cannot be shown or written as UTF-8 is replaced."""
    name = os.fsencode(root.name).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in name).strip() or "project"


def port_range(preferred: int, *, strict: bool = False) -> tuple[int, int]:
    """Return the first and last port of the range that a service may move in."""
    return (preferred, preferred) if strict else (preferred, min(preferred + ATTEMPTS - 1, HIGHEST_PORT))


def preferring(
    service: str, port: int, *, browser: bool, policy: ConflictPolicy | None = None
) -> PortRequest:
    """Return the request for a port that may move upwards."""
    first, last = port_range(port)
    return PortRequest(
        service=service, preferred=port, first=first, last=last, browser=browser, policy=policy
    )


def identifier(name: str) -> str:
    """Return a name that SQL takes as it is: "Café-Shop" → "cafe_shop"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "app"
    if text[0].isdigit() or text.startswith("pg_") or text in _RESERVED_IDENTIFIERS:
        text = f"app_{text}"
    return text[:LONGEST_IDENTIFIER].rstrip("_")


def database_settings(project: str, *, is_named: bool) -> DatabaseSettings:
    """Return the database of a project that says nothing about it, and may only be called like its folder."""
    name = identifier(project)
    return DatabaseSettings(database=name, user=name, after_folder=() if is_named else ("database", "user"))
