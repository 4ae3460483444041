"""Checks before a supervisor's answer counts: services out of reach, a broken configuration, an older version."""

from __future__ import annotations

from devinit.cli.output import talk
from devinit.control.launch import connect_or_start
from devinit.errors import DevinitError
from devinit.model.configuration_words import still_as_before
from devinit.model.phases import AT_REST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from devinit.control.client import Client
    from devinit.model.status import CheckReport, ProjectStatus, WaitReport, WhyReport

    Answer = TypeVar("Answer", ProjectStatus, WhyReport, CheckReport, WaitReport)


def require_reach(client: Client) -> Client:
    """Return the client. Raise SupervisorError when its services cannot be reached from here."""
    if client.greeting.is_out_of_reach:
        from devinit.control.elsewhere import out_of_reach  # rarely needed, as below

        client.close()
        raise out_of_reach(client.greeting)
    return client


def answered(client: Client, root: str, ask: Callable[[Client], Answer]) -> tuple[Client, Answer]:
    """Return the answer of a supervisor, and a client for further requests.

    An older supervisor may not understand the project as this command does. If it answers with an error, or
    reports one in the configuration, it is replaced where that is safe, as in a start, and asked again.
    Otherwise, raise its error with both versions.
    """
    greeting = client.greeting
    if not greeting.is_older or greeting.is_out_of_reach:
        return client, ask(client)
    problem: str | None = None
    error: DevinitError | None = None
    try:
        answer = ask(client)
        if (problem := answer.get("configuration_error")) is None:
            return client, answer
    except DevinitError as raised:
        error = raised
    client.close()
    try:
        # It reports whether the older supervisor was replaced, or why it stays.
        client = connect_or_start(root, talk)
    except DevinitError as refused:
        # Two incompatible versions: the error names the record of the older one that was refused.
        raise error or refused from None
    answer = ask(client)
    if client.greeting.is_older and (problem := answer.get("configuration_error")) is not None:
        answer["configuration_error"] = f"as devinit {client.greeting.version} reads it: {problem}"
    return client, answer


def mention_reach(client: Client | None, root: str = "", *, may_run_here: bool = False) -> str | None:
    """Report that the services cannot be reached from here; return the message, or None if they can be.

    `root`: the checkout, which may run with another state folder instead; `may_run_here`: or with both.
    """
    if client is not None and client.greeting.is_out_of_reach:
        from devinit.control.elsewhere import out_of_reach

        error: DevinitError | None = out_of_reach(client.greeting)
    else:
        asked = client if may_run_here else None
        error = of_other_state(root, asked) if root else None
    if error is None:
        return None
    talk(f"{error.message}\n  {error.hint}")
    return error.message


def of_other_state(root: str, client: Client | None) -> DevinitError | None:
    """Return the error for a checkout that was started with another state folder.

    `client`: that of this state folder's supervisor, which may have services too.
    """
    import os

    from devinit.model.names import ENVIRONMENT_FILE

    if not os.path.isfile(os.path.join(root, ENVIRONMENT_FILE)):  # noqa: PTH113, PTH118 - without pathlib
        return None
    from devinit.control.other_state import said_of

    return said_of(root, None if client is None else lambda: has_services(client))


def has_services(client: Client) -> bool:
    """Whether any service of a supervisor runs."""
    from devinit.control import api  # rarely needed

    return any(each["phase"] not in AT_REST for each in api.status(client)["services"])


def nothing_runs(root: str, asked: Iterable[str] = ()) -> DevinitError:
    """Return the error for a project that does not run: its broken configuration, an unknown name, or just that.

    `asked`: the names of the requested services.
    """
    import os
    from pathlib import Path

    from devinit.config.load import load  # a running supervisor answers faster, without it
    from devinit.errors import ServiceError
    from devinit.model.unknown import unknown_service

    try:
        project = load(Path(root), profile=os.environ.get("DEVINIT_PROFILE") or None)
    except DevinitError as error:
        return error
    for name in asked:
        if name not in project.services:
            return unknown_service(name, project.services, project.name)
    from devinit.control.other_state import runs_there, said_of

    if (elsewhere := runs_there(root)) is not None:
        return elsewhere
    hint = "`devinit start` starts everything"
    if (other := said_of(root)) is not None:
        hint = f"{hint}; {other.message}"
    return ServiceError("nothing runs here", hint=hint)


def mention_configuration(answer: ProjectStatus | WhyReport | CheckReport | WaitReport) -> None:
    """Report an unreadable configuration; the answer is then based on the previous one."""
    if (error := answer.get("configuration_error")) is not None:
        talk(still_as_before(error))
