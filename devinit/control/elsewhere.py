"""Services in another container or namespace than this command, in one sentence for every command.

Two containers with a shared checkout may also share the supervisor's socket, but not its pid or the loopback
addresses of its services. Loaded only in this case.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from devinit.control.waking import ELSEWHERE, ELSEWHERE_ADVICE
from devinit.errors import SupervisorError

if TYPE_CHECKING:
    from devinit.control.greeting import Greeting

WITH_ITS_SUPERVISOR = (
    "run the command there; or `devinit stop`, which works from here, and then start it here, "
    "once no dashboard and no other command is open there"
)
"""Advice if the supervisor answers but its services are out of reach."""


OUT_OF_REACH = "runs in another container or namespace: its addresses cannot be reached from here"
"""Shown after the folder of a project whose services run there."""


def out_of_reach(greeting: Greeting) -> SupervisorError:
    """Return the error for a supervisor whose services have other loopback addresses than this command."""
    return SupervisorError(f"{greeting.root} {OUT_OF_REACH}", hint=WITH_ITS_SUPERVISOR)


def services_out_of_reach(names: Collection[str], root: str) -> SupervisorError:
    """Return the error for services that run elsewhere without a supervisor; `names` are not empty."""
    return SupervisorError(f"{root} {ELSEWHERE}: {', '.join(sorted(names))}", hint=ELSEWHERE_ADVICE)
