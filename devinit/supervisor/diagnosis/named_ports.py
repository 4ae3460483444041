"""Variables of a service that name a port of this machine, and the advice about a wrong server. Pure.

It is separate from `peers`, because it loads the patterns of addresses (4 ms), which most looks do not need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from devinit.model.status import WrongServer
from devinit.runtime.forms.address import Form, parse

_PORT_NAME = "PORT"
"""The end of a variable's name whose value is only a port."""
_OWN_NAMES = "DEVINIT_"
_USUAL_NAME = "DATABASE_URL"
_MOST_NAMES = 2


def names_of(values: Mapping[str, str], port: int) -> Iterator[str]:
    """Yield the variables that name a port of this machine, those with a whole address first."""
    for_later = []
    for name, value in values.items():
        address = None if name.startswith(_OWN_NAMES) else parse(value)
        if address is None or address.port != port or not address.is_local:
            continue
        if address.form is not Form.PORT:
            yield name
        elif name.upper().endswith(_PORT_NAME):
            for_later.append(name)
    yield from for_later


def best_names(values: Mapping[str, str], port: int) -> list[str]:
    """Return a few variables that name a port of this machine, the most widely read one first."""
    return sorted(names_of(values, port), key=lambda name: name != _USUAL_NAME)[:_MOST_NAMES]


def ports_meant(values: Mapping[str, str]) -> set[int]:
    """Return the ports of this machine that variables name."""
    found = set()
    for name, value in values.items():
        address = None if name.startswith(_OWN_NAMES) else parse(value)
        if address is not None and address.port is not None and address.is_local:
            is_named = address.form is not Form.PORT or name.upper().endswith(_PORT_NAME)
            found |= {address.port} if is_named else set()
    return found


def advice_about(
    service: str, wrong: WrongServer, given: Mapping[str, str], evidence: Iterable[str]
) -> list[str]:
    """Return the source of an address and the remedies, one line each.

    `given`: the variables that devinit gives the service. `evidence`: where the other server is named, in words.
    """
    lines = list(evidence)
    own_port = wrong["own_port"]
    names = best_names(given, own_port) if own_port is not None else []
    if names:
        lines.append(f"read the address from {' or '.join(names)}, which devinit sets")
    lines.append(f"if it is meant: name it in services.{service}.env of devinit.toml")
    return lines
