"""Why a service could not bind: somebody has its port, or it asks for another one than it was given.

The first is answered with the next port. The second is not: whatever port it is given, it asks for the same
one again, and only its command can be changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from devinit.model.port import HIGHEST_PORT, LOWEST_UNPRIVILEGED_PORT
from devinit.ports.holder import holding
from devinit.system.listeners import tcp_listeners

IN_USE = re.compile(
    r"address already in use|EADDRINUSE|AddrInUse|\bport\b[^\n]{0,10} (is|was) (already )?in use"
    r"|is port \d+ in use|already running on port|only one usage of each",
    re.IGNORECASE,
)
"""What programs print when they could not bind: libc's words, Node's, Deno's, Django's and Spring's, Bun's,
create-react-app's, Windows'."""
# Behind a colon (":8080", "127.0.0.1:3000"), a comma ("('127.0.0.1', 8000)") or the word: a year is no port.
_PORT = re.compile(r"(?::|, |\bport:? )(\d{4,5})\b", re.IGNORECASE)

_USE_IT = "its command or its configuration must use ${PORT}, the port that is found for it"


def ports_in_use(output: str) -> list[int] | None:
    """Return the ports that a service says are in use, as far as it names them; None when it says nothing."""
    found = IN_USE.search(output)
    if found is None:
        return None
    end = output.find("\n", found.end())
    line = output[output.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else None]
    ports = dict.fromkeys(int(number) for number in _PORT.findall(line))
    return [port for port in ports if LOWEST_UNPRIVILEGED_PORT <= port <= HIGHEST_PORT]


def asks_for_another(
    named: Collection[int], own: Sequence[int], *, tried_again: bool, retake: Callable[[], bool]
) -> str | None:
    """Say that a service asks for a port that is none of its own; None when it may ask for the right one.

    Where its own ports can be taken (`retake`) after it `tried_again`, without a hold of ours in its way, it
    cannot have asked for them.
    """
    if not set(own) & set(named):
        for port in named:
            if tcp_listeners(port):
                return insists_on(port, own[0])
    if not named and tried_again and retake() and not any(tcp_listeners(port) for port in own):
        return f"it asks for a port that is in use, and {own[0]}, which it was given, is not: {_USE_IT}"
    return None


def insists_on(port: int, given: int, ours: Collection[int] = ()) -> str:
    """Say that a service (pids `ours`) asks for a port that somebody else has, whatever port it is given."""
    found = holding(port)
    others = replace(found, holders=tuple(each for each in found.holders if each.identity.pid not in ours))
    return f"it asks for port {port} instead of {given}, and that is {others.reason}: {_USE_IT}"
