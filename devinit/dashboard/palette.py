"""The commands of the palette: every key, every task, and Textual's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

from textual.app import SystemCommand

from devinit.dashboard.keys import Key


def palette(
    keys: Iterable[Key],
    run_action: Callable[[str], Awaitable[object]],
    tasks: Iterable[SystemCommand],
    of_textual: Iterable[SystemCommand],
    *,
    is_web: bool,
) -> Iterator[SystemCommand]:
    """Yield the commands of the palette."""
    for key in keys:

        async def act(action: str = key.action) -> None:
            await run_action(action)

        yield SystemCommand(key.label, key.help, act)
    yield from tasks
    for command in of_textual:
        # In a browser, a screenshot would be a download, which the web server does not support.
        if not (is_web and command.title == "Screenshot"):
            yield command
