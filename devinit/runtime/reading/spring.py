"""Variables in the configuration of a Spring application: `${POSTGRES_URL:jdbc:…}`.

A data source needs a JDBC URL, whatever its variable is called. A variable also replaces a value in the
configuration: SPRING_DATASOURCE_URL replaces `spring.datasource.url`
(https://docs.spring.io/spring-boot/reference/features/external-config.html, relaxed binding).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from devinit.runtime.reading.read import Code, Read

MARKS = (b"${", b"datasource", b"redis")
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]{1,80})(?::(?P<default>[^}\n]{0,300}))?\}")
_LINE = re.compile(
    r"(?P<indent> {0,40})(?P<key>[A-Za-z][\w.-]{0,100})[ \t]{0,20}[:=](?P<value>[^\n]{0,1000})"
)
_JDBC = "jdbc:postgresql://localhost"
_STATED = re.compile(
    r"spring\.(?:datasource\.(?:url|username|password)|r2dbc\.(?:url|username|password)"
    r"|(?:data\.)?redis\.(?:url|host|port|password))"
)
"""Keys that hold the address or the login of a server."""
_DATA_SOURCE = "SPRING_DATASOURCE_"
_OF_POSTGRES = "jdbc:postgresql:"


def read_spring(text: str) -> Code:
    """Return the variables that application.properties or application.yml reads."""
    reads = []
    for number, path, value in _lines(text):
        key = path.rpartition(".")[2]
        found = _REFERENCE.search(value)
        if found is None:
            if _STATED.fullmatch(path) and "${" not in value:
                name = path.replace("-", "").replace(".", "_").upper()
                reads.append(Read(name=name, line=number, default=value))
            continue
        is_whole = value == found[0]
        is_url = key in ("url", "jdbc-url")
        default = found["default"] or (_JDBC if is_whole and is_url and "datasource" in path else "")
        if is_whole:
            is_required = found["default"] is None
            reads.append(Read(name=found["name"], line=number, default=default, is_required=is_required))
    return Code(reads=tuple(reads))


def without_other_databases(files: Mapping[str, Code]) -> dict[str, Code]:
    """Return the code of files, without the data source if one of the files names another database.

    The file that counts depends on a profile, which is chosen elsewhere.
    """
    urls = [
        read.default for code in files.values() for read in code.reads if read.name == f"{_DATA_SOURCE}URL"
    ]
    if all(url.startswith(_OF_POSTGRES) for url in urls):
        return dict(files)
    kept = {
        name: replace(
            code, reads=tuple(each for each in code.reads if not each.name.startswith(_DATA_SOURCE))
        )
        for name, code in files.items()
    }
    return {name: code for name, code in kept.items() if code != Code()}


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, full key and value of each line: `spring.datasource.url`, in YAML and in properties."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.match(line)
        if found is None:
            continue
        indent = len(found["indent"])
        while above and above[-1][0] >= indent:
            above.pop()
        path = ".".join((*(key for _, key in above), found["key"]))
        above.append((indent, found["key"]))
        yield number, path, found["value"].partition(" #")[0].strip().strip("\"'")
