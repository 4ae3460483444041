"""What the configuration of a Spring application reads from its environment: `${POSTGRES_URL:jdbc:…}`.

A data source wants a JDBC URL whatever the variable is called.
"""

from __future__ import annotations

import re

from devinit.runtime.reading.read import Code, Read

MARKS = (b"${",)
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]{1,80})(?::(?P<default>[^}\n]{0,300}))?\}")
_JDBC = "jdbc:postgresql://localhost"


def read_spring(text: str) -> Code:
    """Return what application.properties or application.yml reads."""
    reads = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        key, _, value = line.replace("=", ":", 1).partition(":")
        found = _REFERENCE.search(value)
        if found is None:
            continue
        is_whole = value.strip().strip("\"'") == found[0]
        is_url = key.strip().endswith(("url", "jdbc-url"))
        default = found["default"] or (_JDBC if is_whole and is_url and _is_of_data_source(text, key) else "")
        if is_whole:
            is_required = found["default"] is None
            reads.append(Read(name=found["name"], line=number, default=default, is_required=is_required))
    return Code(reads=tuple(reads))


def _is_of_data_source(text: str, key: str) -> bool:
    """Whether a key belongs to a data source: by its own name, or below `datasource:` in YAML."""
    return "datasource" in key or ("." not in key and "datasource:" in text)
