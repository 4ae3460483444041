"""Names of processes, containers and users of a port, for messages. Pure."""

from __future__ import annotations

from devinit.masking import masked_words
from devinit.model.port import Container, PortUse, UseState
from devinit.model.process import ProcessFacts
from devinit.text import one_line, without_folder

_LONGEST_COMMAND = 60


def named(facts: ProcessFacts) -> str:
    """Return the name of a process, with its pid."""
    return f"{titled(facts)} (pid {facts.identity.pid})"


def titled(facts: ProcessFacts) -> str:
    """Return a process's command, shortened and without the program's folder and secrets."""
    program, *words = masked_words(facts.command or (facts.name,))
    title = one_line(" ".join([without_folder(program), *words]))
    return title if len(title) <= _LONGEST_COMMAND else title[: _LONGEST_COMMAND - 1].rstrip() + "…"


def whole_title(facts: ProcessFacts) -> str:
    """Return a process's command on one line, without secrets."""
    return one_line(" ".join(masked_words(facts.command or (facts.name,))))


JUST_CLOSED = "was closed less than a minute ago"
"""The end of the reason for a taken port that the kernel releases by itself."""


def described(container: Container) -> str:
    """Return the name of a container: "container shop-db-1 (db of the Compose project shop)"."""
    compose = ""
    if container.compose_project:
        service = container.compose_service or container.image
        compose = f" ({service} of the Compose project {container.compose_project})"
    return f"container {container.name}{compose}"


def used(use: PortUse) -> str:
    """Return who uses a port without listening on it."""
    if use.state is UseState.CLOSED:
        return f"a connection to {use.peer} {JUST_CLOSED}"
    who = named(use.processes[0]) if use.processes else f"a process of user {use.user}"
    if use.state is UseState.BOUND:
        return f"{who} has bound it without listening"
    return f"{who} uses it for a connection to {use.peer}"
