"""The message on the shell after the user has left the dashboard. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.refusals import ON_THE_WAY, RUNS
from devinit.dashboard.state import Stack, View
from devinit.model.phases import AT_REST

if TYPE_CHECKING:
    from collections.abc import Mapping

STOPPED, RESTARTING = "stopped", "restarting"


def farewell(stack: Stack, ordered: Mapping[str, str]) -> str:
    """Return the message on the shell after the user has left the dashboard.

    `ordered`: the last unanswered order of each service, which is carried out without the dashboard.
    """
    phases = {view.name: phase_soon(view, ordered.get(view.name, "")) for view in stack.services.values()}
    running = [name for name, phase in phases.items() if phase in RUNS]
    said = [f"{', '.join(running)} {'keeps' if len(running) == 1 else 'keep'} running"] if running else []
    for doing, words in {RESTARTING: ("is being restarted", "are being restarted"), **ON_THE_WAY}.items():
        names = [name for name, phase in phases.items() if phase == doing]
        said += [f"{', '.join(names)} {words[len(names) > 1]}"] if names else []
    if not said:
        return "nothing runs; `devinit start` starts everything"
    if all(phase in (*AT_REST, "stopping") for phase in phases.values()):
        return f"{'; '.join(said)}; `devinit start` starts everything"
    return f"{'; '.join(said)}; `devinit stop` ends everything, `devinit dashboard` comes back here"


def phase_soon(view: View, ordered: str) -> str:
    """Return the phase that an unanswered order leads to, `RESTARTING` for a restart.

    The displayed phase is older: a stop of everything reaches a database after all its dependants.
    """
    match ordered:
        case "stop" if view.phase not in AT_REST:
            return "stopping"
        case "start" if view.phase == STOPPED and view.autostart:
            return "starting"
        case "restart" if view.phase in (*ON_THE_WAY, STOPPED):
            return RESTARTING
    return view.phase
