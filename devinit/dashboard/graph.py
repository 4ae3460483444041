"""The dependency graph of all services as text: which waits for which, and which talks to which. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.presentation import Piece, mark_of
from devinit.dashboard.state import COMING_UP
from devinit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinit.dashboard.state import Stack, View

DEEPEST = 24
"""The maximum depth of the tree; deeper services are only named."""


def graph_lines(stack: Stack) -> Iterator[list[Piece]]:
    """Yield a tree for each service that no other one needs, with its dependencies below it."""
    services = stack.services
    needed = {each for view in services.values() for each in view.depends_on}
    drawn: set[str] = set()
    if not needed:
        yield [("No service waits for another one: `depends_on` in devinit.toml says who does.", "dim")]
        yield []
    for view in services.values():
        if view.name not in needed:
            yield from tree(view, services, drawn)
    # The services of a cycle, which no valid configuration has, are not below any root.
    for view in services.values():
        if view.name not in drawn:
            yield from tree(view, services, drawn)


def tree(top: View, services: Mapping[str, View], drawn: set[str]) -> Iterator[list[Piece]]:
    """Yield the lines of a service and of all its dependencies; those drawn before are only named.

    It is a loop, because a chain of services may be deeper than Python's recursion limit.
    """
    pending: list[tuple[View, str, str]] = [(top, "", "")]
    while pending:
        view, branch, below = pending.pop()
        known = view.name in drawn
        drawn.add(view.name)
        needs = [services[name] for name in view.depends_on if name in services]
        yield line_of(view, branch, needs, is_known=known and bool(needs), services=services)
        if known or len(below) > DEEPEST * 3:
            continue
        last = len(needs) - 1
        children = [
            (
                each,
                f"{below}{'└─ ' if number == last else '├─ '}",
                f"{below}{'   ' if number == last else '│  '}",
            )
            for number, each in enumerate(needs)
        ]
        pending += reversed(children)


def line_of(
    view: View, branch: str, needs: list[View], *, is_known: bool, services: Mapping[str, View]
) -> list[Piece]:
    """Return the line of one service."""
    mark, style = mark_of(view)
    pieces: list[Piece] = [(f" {branch}", "dim"), (f"{mark} ", style), (one_line(view.name), "strong")]
    if is_known:
        return [*pieces, ("  as above", "dim")]
    pieces.append((f"  {view.phase}", style))
    coming = [
        each.name for each in needs if view.phase == "waiting" and each.phase not in ("ready", "exited")
    ]
    if coming:
        pieces.append((f", waits for {', '.join(map(one_line, coming))}", "attention"))
    talks = [name for name in view.talks_to if name in services]
    beside = [name for name in talks if name not in view.depends_on]
    silent = [
        each.name for each in needs if view.phase == "ready" and view.talks_to and each.name not in talks
    ]
    if talks:
        pieces.append((f"  talks to {', '.join(map(one_line, talks))}", "accent"))
    if beside:
        pieces.append((f"  (not in depends_on: {', '.join(map(one_line, beside))})", "attention"))
    elif silent:
        pieces.append((f"  (no connection to {', '.join(map(one_line, silent))})", "dim"))
    return pieces


def blocker(view: View, services: Mapping[str, View]) -> str | None:
    """Return the service that a service waits for, directly or through others; None if it waits for none."""
    seen = {view.name}
    found: str | None = None
    while True:
        needs = [services[name] for name in view.depends_on if name in services and name not in seen]
        coming = [each for each in needs if each.phase not in ("ready", "exited")]
        if not coming:
            return found
        # A failed one is waited for in vain; otherwise, one that comes up takes the time.
        view = next((each for each in coming if each.phase not in COMING_UP), coming[0])
        seen.add(view.name)
        found = view.name
