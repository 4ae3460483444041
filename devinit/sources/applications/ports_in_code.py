"""Which port a compiled program listens on, as far as its source text says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT

_READS = re.compile(
    r"(?:Getenv|LookupEnv|env::var|var|get_env|fetch_env!|env|getenv)\b[^\n\"']{0,20}\(?[\"'](?P<name>(?:HTTP_|APP_|API_|SERVER_|BACKEND_|LISTEN_)?PORT)[\"']"
    r"|\b(?:env|envconfig|env_name)[:=]\\?\"(?P<tag>(?:HTTP_|APP_|API_|SERVER_|BACKEND_|LISTEN_)?PORT)\b"
)
ENV_FILES = (".env", ".env.example", ".env.sample", ".env.template")
"""Files of variables in which a port may stand."""
_NUMBER = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}:|localhost:|\[::\]?\]?:|:|\")?(?P<port>\d{4,5})(?![\w.])"
)


class CodePort(Struct, frozen=True):
    """Where a program listens."""

    file: str
    position: int
    number: int | None
    variable: str | None
    """The environment variable that it is read from; None for a number that stands in the code."""


def port_in(texts: Iterable[tuple[str, str]], listens: re.Pattern[str]) -> CodePort | None:
    """Return the port of a program, whose files with their texts these are; None when they name none.

    `listens` finds where it begins to listen, with the port behind it as a group, if a number stands there.
    """
    constant: CodePort | None = None
    for file, text in texts:
        if found := _READS.search(text):
            return CodePort(file, found.start(), _usual(text, found.end()), found["name"] or found["tag"])
        for call in listens.finditer(text):
            digits = call.groupdict().get("port")
            if digits and _is_port(digits) and constant is None:
                constant = CodePort(file, call.start("port"), int(digits), None)
    return constant


def stated_in(texts: Iterable[tuple[str, str]], name: str) -> CodePort | None:
    """Return the port that a file of variables gives under a name; None when none does."""
    line = re.compile(
        rf"^(?:export[ \t]{{1,9}})?{name}[ \t]{{0,20}}=[ \t]{{0,20}}['\"]?(?P<port>\d{{4,5}})\b", re.MULTILINE
    )
    for file, text in texts:
        found = line.search(text)
        if found and _is_port(found["port"]):
            return CodePort(file, found.start("port"), int(found["port"]), name)
    return None


def _usual(text: str, position: int) -> int | None:
    """Return the number that stands behind the reading of a variable: what holds without it."""
    found = _NUMBER.search(text, position, position + 200)
    return int(found["port"]) if found and _is_port(found["port"]) else None


def _is_port(digits: str) -> bool:
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT
