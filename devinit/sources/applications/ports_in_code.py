"""Find the port of a compiled program in its source code. Pure."""

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
"""Env files that may set the port."""
_NUMBER = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}:|localhost:|\[::\]?\]?:|:|\")?(?P<port>\d{4,5})(?![\w.])"
)


class CodePort(Struct, frozen=True):
    """The port of a program, as its code or an env file states it."""

    file: str
    position: int
    number: int | None
    variable: str | None
    """The environment variable that holds it; None for a constant in the code."""


def port_in(texts: Iterable[tuple[str, str]], listens: re.Pattern[str]) -> CodePort | None:
    """Return the port of a program with these files and texts; None when they state none.

    `listens` matches a call that listens; its group `port` is the literal port in that call, if there is one.
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
    """Return the port that env files set for a variable; None when none does."""
    line = re.compile(
        rf"^(?:export[ \t]{{1,9}})?{name}[ \t]{{0,20}}=[ \t]{{0,20}}['\"]?(?P<port>\d{{4,5}})\b", re.MULTILINE
    )
    for file, text in texts:
        found = line.search(text)
        if found and _is_port(found["port"]):
            return CodePort(file, found.start("port"), int(found["port"]), name)
    return None


def _usual(text: str, position: int) -> int | None:
    """Return the number after the read of a variable: its default."""
    found = _NUMBER.search(text, position, position + 200)
    return int(found["port"]) if found and _is_port(found["port"]) else None


def _is_port(digits: str) -> bool:
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT
