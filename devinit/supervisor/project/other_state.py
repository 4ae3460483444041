"""Services of this checkout that devinit runs with another state folder. They belong to another supervisor."""

from __future__ import annotations

from pathlib import Path

from devinit.system.paths import MARK_END, is_of_another_state, project_id
from devinit.system.processes import RUN_VARIABLE, process_ids, variable_of


def services_elsewhere(root: Path) -> list[str]:
    """Return the services with running processes that carry the mark of another state folder. Blocking."""
    marks = {variable_of(pid, RUN_VARIABLE) or "" for pid in process_ids()}
    prefix = f"{project_id(root)}/"
    return sorted(
        mark.removeprefix(prefix).partition(MARK_END)[0]
        for mark in marks
        if mark.startswith(prefix) and is_of_another_state(mark)
    )


def runs_elsewhere(root: Path) -> str:
    """Describe the services that run with another state folder, as the beginning of a sentence; "" without any."""
    names = services_elsewhere(root)
    if not names:
        return ""
    verb, are = ("runs", "is") if len(names) == 1 else ("run", "are")
    return (
        f"this checkout runs elsewhere, too: {', '.join(names)} {verb} with another state folder "
        f"and {are} left alone; `devinit stop` with its HOME or XDG_STATE_HOME ends that; "
    )
