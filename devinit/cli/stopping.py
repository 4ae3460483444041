"""A stop with handling of Ctrl-C: the first lets the stop go on, the second kills what is left at once."""

from __future__ import annotations

# The C module behind `signal`, which takes 4 ms to build enumerations.
import _signal  # type: ignore[import-not-found]  # typeshed has only `signal`

from devinit.control import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import StopReport

GOES_ON = "the stop goes on, also without this command; Ctrl-C again ends at once what is left"
BY_FORCE = "what is left is ended by force"


def stop_services(
    client: Client,
    services: list[str],
    see: Callable[[Json], None],
    tick: Callable[[], None],
    say: Callable[[str], None],
    *,
    force: bool = False,
    pressed: int = 0,
) -> StopReport:
    """Stop services; return the supervisor's report. A third Ctrl-C leaves.

    `pressed`: the number of Ctrl-Cs that were handled before; the stop itself may be the response to one.
    """
    answered = pressed

    def press(_number: int, _frame: FrameType | None) -> None:
        # An exception in the middle of a message would lose the part that was already read.
        nonlocal pressed
        pressed += 1
        if pressed > 2:  # noqa: PLR2004  after the polite one and the one that forces
            raise KeyboardInterrupt

    def answer() -> None:
        nonlocal answered
        while answered < pressed:
            answered += 1
            say(GOES_ON if answered == 1 else BY_FORCE)
            if answered == 2:  # noqa: PLR2004  as above
                client.post("stop", {"services": services, "force": True})

    def on_event(event: Json) -> None:
        answer()
        see(event)

    def on_tick() -> None:
        answer()
        tick()

    before = _signal.getsignal(_signal.SIGINT)
    if before is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, press)
    try:
        result = api.stop(client, services, force=force, see=on_event, tick=on_tick)
    finally:
        _signal.signal(_signal.SIGINT, before)
    return result
