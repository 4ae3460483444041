"""Settings for ports in the environment: `<SERVICE>_PORT` and its aliases, and options of the search.

A value that cannot be used causes a warning, never an error: such variables are often left over in a shell, and
the start can continue without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from devinit.model.names import port_variable
from devinit.model.port import HIGHEST_PORT
from devinit.system.paths import other_checkout

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}
_LONGEST_NUMBER = 9
_NO_ALIASES: Mapping[str, Sequence[str]] = {}


class Override(Struct, frozen=True):
    """A port that a variable requests."""

    port: int
    variable: str


class Overrides(Struct, frozen=True, kw_only=True):
    """All settings for ports in the environment."""

    ports: dict[str, Override]
    """By service."""
    skip_discovery: bool = False
    """SKIP_PORT_DISCOVERY: no service moves, and no port is remembered; a taken port is an error."""
    debug: bool = False
    """DEBUG_PORT_DISCOVERY: a message for each candidate."""
    timeout_seconds: float | None = None
    """PORT_DISCOVERY_TIMEOUT, for the whole search."""
    warnings: tuple[str, ...] = ()


def overrides(
    environ: Mapping[str, str],
    services: Iterable[str],
    *,
    root: Path,
    aliases: Mapping[str, Sequence[str]] = _NO_ALIASES,
) -> Overrides:
    """Read the settings for these services; `aliases` are their other variables, in order."""
    warnings: list[str] = []
    variables = {service: (port_variable(service), *aliases.get(service, ())) for service in services}
    ports = _ports(environ, variables, warnings)
    if ports and (stranger := other_checkout(environ, root)) is not None:
        names = ", ".join(sorted({each.variable for each in ports.values()}))
        warnings.append(f"{names} ignored: inherited from the environment of another checkout, {stranger}")
        ports = {}
    return Overrides(
        ports=ports,
        skip_discovery=_flag(environ, "SKIP_PORT_DISCOVERY", warnings),
        debug=_flag(environ, "DEBUG_PORT_DISCOVERY", warnings),
        timeout_seconds=_milliseconds(environ, "PORT_DISCOVERY_TIMEOUT", warnings),
        warnings=tuple(warnings),
    )


def _ports(
    environ: Mapping[str, str], variables: Mapping[str, Sequence[str]], warnings: list[str]
) -> dict[str, Override]:
    ports: dict[str, Override] = {}
    for service, names in variables.items():
        for name in names:
            text = environ.get(name, "").strip()
            if not text or service in ports:
                continue
            if (port := _number(text)) is not None and 1 <= port <= HIGHEST_PORT:
                ports[service] = Override(port, name)
            else:
                warnings.append(
                    f"{name}={text} ignored: it is not a port number between 1 and {HIGHEST_PORT}"
                )
    return ports


def _flag(environ: Mapping[str, str], name: str, warnings: list[str]) -> bool:
    text = environ.get(name, "").strip()
    if text.lower() not in _TRUE | _FALSE:
        warnings.append(f"{name}={text} ignored: it is neither true nor false")
    return text.lower() in _TRUE


def _milliseconds(environ: Mapping[str, str], name: str, warnings: list[str]) -> float | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not (number := _number(text)):
        warnings.append(f"{name}={text} ignored: it is not a number of milliseconds above 0")
        return None
    return number / 1000


def _number(text: str) -> int | None:
    """Parse plain ASCII digits: int() would also accept 8_000, +8000 and the digits of other scripts."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
