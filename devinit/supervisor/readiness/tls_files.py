"""Files that suggest TLS although a service's command does not name them: certificates, and code next to its own.

They are reason enough for a greeting, but for no more: a certificate may serve another purpose.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.errors import StateFileError
from devinit.system.bounds import bounds_of
from devinit.system.files import read_text

if TYPE_CHECKING:
    from devinit.model.service import Service

SERVING = (
    # Not after a comment sign.
    r"(?m)^(?![ \t]{0,200}(?://|#)).{0,400}\b(?:load_cert_chain|createSecureServer|https\.createServer|tls\.createServer|(?:ListenAnd)?ServeTLS|bind_rustls)\s{0,20}\("
    r"|\bRustlsConfig\b|^[ \t]{0,40}server\.ssl\."
)
"""In code of Python, Node, Go and Rust, and in Spring's properties."""
WORDS = ("cert", "secure", "https", "tls", "ssl")
"""Without one of these words no pattern is compiled."""
CODE = frozenset((".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".go", ".rs", ".rb", ".properties"))
FOLDERS = ("", "src", "src/main/resources")
"""Folders in a service's folder with code that a command may run without naming it."""
CERTIFICATES = (
    "localhost*.pem",
    "localhost*.crt",
    "*cert*.pem",
    "server.key",
    "localhost*.key",
    "*.localhost.pem",
)
CERTIFICATE_FOLDERS = ("cert", "certs", "certificates", "ssl", "tls", ".cert", ".certs")
MOST_FILES = 50
MOST_WORDS = 20
LARGEST_FILE = 200_000


def has_tls_files(service: Service) -> bool:
    """Return whether a service's folder has certificates of a server, or code that serves TLS."""
    names = _names_in(service.directory)
    return (
        any(fnmatch(name, pattern) for name in names for pattern in CERTIFICATES)
        or any(_has_certificates(service.directory / name) for name in names if name in CERTIFICATE_FOLDERS)
        or any(map(_serves_tls, islice(_code_in_bounds(service), MOST_FILES)))
    )


def _has_certificates(folder: Path) -> bool:
    return any(name.endswith((".pem", ".crt", ".key", ".p12", ".pfx")) for name in _names_in(folder))


def _code_in_bounds(service: Service) -> Iterator[Path]:
    bounds = None  # finding the bounds would take as long as all the rest, and a folder may have no code
    for path in _code(service):
        bounds = bounds or bounds_of(service.directory)
        if bounds.holds(path):
            yield path


def _code(service: Service) -> Iterator[Path]:
    """Yield the code files next to the program of a service, and in folders that its command names."""
    words = (service.command or "").split()[:MOST_WORDS]
    named = [
        word for word in words if re.fullmatch(r"\./[\w./-]+|[\w-]+(?:/[\w.-]+)+", word) and ".." not in word
    ]
    for folder in dict.fromkeys((*FOLDERS, *named)):
        for name in _names_in(service.directory / folder):
            if os.path.splitext(name)[1] in CODE and "test" not in name:  # noqa: PTH122 - a name
                yield service.directory / folder / name


def _serves_tls(path: Path) -> bool:
    try:
        text = read_text(path, most=LARGEST_FILE) or ""
    except StateFileError:
        return False  # reporting it is not our task
    return any(word in text.lower() for word in WORDS) and re.search(SERVING, text) is not None


def _names_in(folder: Path) -> list[str]:
    if os.path.islink(folder):  # noqa: PTH114 - it may lead out of the checkout
        return []
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted
    except OSError:
        return []
