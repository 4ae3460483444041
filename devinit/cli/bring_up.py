"""Order a start or a restart, show its progress, ask about taken ports, and print the outcome."""

from __future__ import annotations

import os
import sys
import time

from devinit.cli.asking import can_ask, policy_of
from devinit.cli.caller import caller_environment
from devinit.cli.output import talk
from devinit.cli.project import is_elsewhere, require_services
from devinit.cli.reach import require_reach
from devinit.cli.terminated import Terminable
from devinit.control import api
from devinit.control.client import RemoteError
from devinit.control.conversation import Conversation, conflicts_of
from devinit.control.launch import connect_or_start
from devinit.errors import DevinitError, Termination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.cli.arguments import Arguments
    from devinit.cli.watch import Scope, Shown, Watch
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.port_answer import PortAnswer


def watch_of(arguments: Arguments) -> Watch:
    """Return the display of a start for the user who waits for it."""
    from devinit.cli.watch import Watch  # imported while the supervisor works already

    return Watch(shown_of(arguments))


def bring_up(
    method: str,
    root: str,
    arguments: Arguments,
    watch_of: Callable[[Arguments], Watch] = watch_of,
    *,
    in_terminals: tuple[str, ...] = (),
) -> int:
    """Start or restart services; ask about port conflicts until none is left. Return the exit code.

    `in_terminals`: services that have a terminal in this run.
    """
    params = params_of(method, arguments, in_terminals)
    conversation = Conversation()
    client = reached(root, params, arguments)
    try:
        while True:
            try:
                sent = conversation.params(params)
                code = one_attempt(client, root, method, sent, lambda: watch_of(arguments))
                break
            except RemoteError as error:
                conflicts = conflicts_of(error)
                if conflicts is None or not can_ask(arguments):
                    raise
                # Keep the connection: an idle supervisor without one exits.
                conversation.add(ask(conflicts, root, again=conversation.has_answers))
    finally:
        client.close()
    if conversation.to_keep:
        from devinit.config.pinning import keep  # rarely needed

        for said in keep(root, conversation.to_keep, params["profile"]):
            talk(said)
    return code


def params_of(method: str, arguments: Arguments, in_terminals: tuple[str, ...] = ()) -> Json:
    """Return the parameters of a start or a restart from its command line."""
    params: Json = {
        "services": arguments.services,
        "environ": caller_environment(),
        "on_conflict": policy_of(arguments),
        "can_answer": can_ask(arguments),
        "profile": arguments.profile or os.environ.get("DEVINIT_PROFILE") or None,
        "timeout_seconds": arguments.timeout,
    }
    if arguments.setup:
        # Sent only when set: an older supervisor does not know the key.
        params["sets_up"] = True
    if method == "start" and arguments.names:
        params["names"] = True  # as above
    if in_terminals:
        params["in_terminals"] = list(in_terminals)
    if method == "restart":
        params["only_changed"] = arguments.changed
    return params


def reached(root: str, params: Json, arguments: Arguments) -> Client:
    """Return a client of the project's supervisor, which is started if necessary.

    Raise an error when the project has no services or when they are out of reach.
    """
    if is_elsewhere(root, arguments):
        talk(f"project: {root}")
    require_services(root, params["profile"])
    # With only the summary on standard output, notes go to standard error.
    return require_reach(connect_or_start(root, note_as_json if arguments.json else talk))


def note_as_json(text: str) -> None:
    """Print a note that comes before the first event as an event of type `note`."""
    from devinit.cli.output import print_json  # rarely needed

    print_json({"type": "note", "at": time.time(), "service": None, "message": text})


def shown_of(arguments: Arguments) -> Shown:
    """Return which events are printed as JSON."""
    if arguments.json:
        return "events"
    return "summary" if arguments.json_summary else None


def one_attempt(client: Client, root: str, method: str, params: Json, new_watch: Callable[[], Watch]) -> int:
    """Order the start, show its progress, and print the summary. Return the exit code."""
    watch: Watch | None = None
    try:
        client.order(method, params)
        # The supervisor works already, so these 0.5 ms delay nothing.
        watch = new_watch()
        watch.progress.show_output_of(root)
        with Terminable(), watch.progress:
            result = client.answer(method, watch.see, watch.tick)
    except Termination:
        talk(left_behind(method, watch.scope if watch else None))
        raise
    except KeyboardInterrupt:
        from devinit.cli.watch import Scope  # the first import may have been interrupted

        take_back(client, root, method, watch.scope if watch else Scope())
        raise
    watch.print_summary(of_changes=bool(params.get("only_changed")))
    code: int = result["exit_code"]
    return code


def left_behind(method: str, scope: Scope | None) -> str:
    """Return the message about the work that continues after this command got SIGTERM."""
    if scope is None or (scope.starting is None and not scope.stopped):
        return "terminated before anything was begun; `devinit status` shows what runs"
    return (
        f"terminated: the {method} goes on without this command; `devinit status` shows how far it is, "
        "`devinit stop` ends it"
    )


def ask(conflicts: list[Json], root: str, *, again: bool) -> list[PortAnswer]:
    """Ask about every conflict. `again`: earlier answers were sent, and may have been carried out."""
    # The prompt library takes longer to load than everything else, so it is loaded only for a question.
    from devinit.cli.conflicts import decide
    from devinit.config.pinning import can_pin

    return decide(conflicts, can_pin=can_pin(root), again=again)


def take_back(client: Client, root: str, method: str, scope: Scope) -> None:
    """Stop the services that this start was bringing up, and no others, after Ctrl-C.

    The supervisor completes the restart of services that ran before.
    """
    from devinit.cli.progress import Progress  # needed only after an interrupted start
    from devinit.cli.stopping import stop_services
    from devinit.control.stopped import refuse_remaining

    try:
        if scope.starting is None and not (method == "restart" and scope.stopped):
            # The order is on its way. The supervisor answers this request after it has planned the order.
            api.environment(client, caller_environment(), see=scope.see)
        kept = scope.stopped if method == "restart" else set()
        if kept:
            talk("\ninterrupted: the restart goes on without this command; `devinit stop` ends it")
        added = [name for name in scope.starting or [] if name not in kept]
        if not added:
            return
        talk("\ninterrupted: stopping what this start brought up")
        with Progress(sys.stderr) as progress:
            stopping = connect_or_start(root)
            refuse_remaining(stop_services(stopping, added, progress.see, progress.tick, progress.say))
    except DevinitError as error:
        talk(f"it could not be stopped: {error.message}")
