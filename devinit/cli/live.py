"""A start at a terminal: the dashboard opens while the supervisor works, and shows the progress."""

from __future__ import annotations

import sys
from contextlib import closing

from devinit.cli.bring_up import params_of, reached, take_back
from devinit.cli.dashboard import dashboard_of
from devinit.cli.opening import opening_of
from devinit.cli.output import Paint, is_quiet, talk
from devinit.cli.terminated import Terminable
from devinit.control.client import RemoteError
from devinit.control.conversation import conflicts_of
from devinit.control.pending import Pending
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.cli.arguments import Arguments
    from devinit.cli.opening import FirstPicture, Loading
    from devinit.control.wire import Json
    from devinit.dashboard.app import Dashboard
    from devinit.dashboard.starting import Start
    from devinit.dashboard.state import Stack
    from devinit.errors import DevinitError


def start_in_dashboard(root: str, arguments: Arguments) -> int:
    """Order a start, show it in the dashboard until the user leaves, and return the exit code."""
    params = params_of("start", arguments)
    pending = Pending(reached(root, params, arguments), "start")
    try:
        pending.order(params)
        with closing(opening_of(root, pending)) as opening:  # the supervisor works from here on
            dashboard = opened(root, pending, params, opening)
            said = dashboard.run()
    finally:
        pending.close()
    if dashboard.refusal is not None:
        raise dashboard.refusal
    return told(dashboard, said)


def opened(root: str, pending: Pending, params: Json, opening: FirstPicture | Loading) -> Dashboard:
    """Build the dashboard of a start while its first picture is shown. Raise the error of an early refusal."""
    try:
        opening.begin()
        with Terminable():
            from pathlib import Path  # imported while the supervisor works

            from devinit.dashboard.begun import BegunStart

            begun = BegunStart(pending, params)
            dashboard = dashboard_of(Path(root), begun, params["profile"], opening.give_away)
    except KeyboardInterrupt:
        opening.close()
        give_back(root, pending)
        raise
    if (error := pending.refusal) is not None and not (params["can_answer"] and is_question(error)):
        raise error
    return dashboard


def is_question(error: DevinitError) -> bool:
    """Whether an error asks about taken ports."""
    return isinstance(error, RemoteError) and conflicts_of(error) is not None


def give_back(root: str, pending: Pending) -> None:
    """Stop the services that the start was bringing up, after Ctrl-C before the dashboard is shown."""
    from devinit.cli.watch import Scope  # rarely needed
    from devinit.control.launch import connect_or_start

    scope = Scope()
    pending.listen(scope.see)
    client = connect_or_start(root)
    try:
        take_back(client, root, "start", scope)
    finally:
        client.close()


def told(dashboard: Dashboard, said: str | None) -> int:
    """Print the outcome of the start and what keeps running; return the exit code.

    The outcome is that at the time when the user leaves the dashboard, perhaps hours after the start.
    """
    from devinit.dashboard.starting import Start, exit_code  # loaded already

    start: Start = dashboard.start or Start(began=0.0)
    terminal.write(sys.stderr, last_words(start, dashboard.stack))
    if said:
        talk(said)
    if start.goes_on:
        talk("the start goes on without the dashboard; `devinit wait` waits until all is ready")
    return exit_code(start, dashboard.stack)


def last_words(start: Start, stack: Stack) -> Iterator[str]:
    """Yield the outcome of the start: one line when all went well, otherwise also the reasons of failures."""
    from devinit.cli.summary import advice, explanation  # needed only now
    from devinit.dashboard.starting import unwell_rows
    from devinit.model.start_words import totals

    if start.summary is None:
        return
    rows = unwell_rows(start, stack)
    if not is_quiet() and start.summary["services"]:
        yield totals(start.summary, start.starting)
    if rows:
        left = {**start.summary, "services": rows}
        yield from explanation(left, Paint(sys.stderr))
        yield advice(left)
