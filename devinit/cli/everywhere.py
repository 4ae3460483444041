"""`stop --all`: stop every project of this user, from any folder; before an upgrade, or at the end of the day."""

from __future__ import annotations

import time

from devinit.cli.neighbours import at_home
from devinit.cli.output import print_json, talk
from devinit.cli.terminated import Terminable
from devinit.control.launch import connect_to_running
from devinit.control.neighbours import neighbours
from devinit.control.orphans import connect_for_orphans, end_orphans
from devinit.control.stopped import refuse_remaining
from devinit.errors import DevinitError, SupervisorError, Termination
from devinit.model.neighbour import NeighbourState
from devinit.text import duration, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.neighbour import NeighbourStatus
    from devinit.model.status import StopReport

GOES_ON = "\nthe stops go on in the background: `devinit status --all` shows how far they are"


def stop_everywhere(*, force: bool, as_json: bool) -> int:
    """Stop all projects; return 1 if one could not be stopped, or is not known to be.

    All stops are ordered before the first is awaited, so that together they take as long as the slowest.
    """
    began = time.monotonic()
    stops = [Stop(each) for each in neighbours() if each["state"] != NeighbourState.STOPPED]
    try:
        with Terminable():
            for stop in stops:
                stop.order(force=force)
            for stop in stops:
                stop.finish()
                if not as_json:
                    talk(stop.said(time.monotonic() - began))
    except (KeyboardInterrupt, Termination):
        talk(GOES_ON)
        raise
    if as_json:
        seconds = round(time.monotonic() - began, 3)
        print_json({"projects": [stop.as_object() for stop in stops], "seconds": seconds})
    elif not stops:
        talk("nothing runs in any project")
    return int(any(stop.error is not None for stop in stops))


class Stop:
    """The stop of one project."""

    def __init__(self, project: NeighbourStatus) -> None:
        self._project = project
        self._client: Client | None = None
        self._result: StopReport = {"stopped": [], "left": []}
        self.error: DevinitError | None = None

    def order(self, *, force: bool) -> None:
        """Order the stop of all services, without waiting for what `finish` can wait for."""
        root, state = self._project["root"], self._project["state"]
        try:
            if state == NeighbourState.UNREACHABLE:
                raise SupervisorError("its supervisor cannot be reached", hint=self._project["advice"])
            if state == NeighbourState.GONE:
                self._result["stopped"] = end_orphans(root)
                return
            self._client = connect_to_running(root) or connect_for_orphans(root)
            if self._client is not None:
                self._client.order("stop", {"services": [], "force": force})
        except DevinitError as error:
            self.error = error

    def finish(self) -> None:
        """Wait until the project is stopped."""
        if self._client is None or self.error is not None:
            return
        try:
            self._result = self._client.answer("stop")
            refuse_remaining(self._result)
        except DevinitError as error:
            self.error = error
        finally:
            self._client.close()

    def said(self, seconds: float) -> str:
        """Return the result for a user."""
        name = f"{one_line(self._project['project'] or 'project')} ({at_home(self._project['root'])})"
        if self.error is not None:
            lines = [*self.error.message.splitlines(), *(self.error.hint or "").splitlines()]
            return f"{name} was not stopped: {'; '.join(map(one_line, lines))}"
        stopped = ", ".join(self._result["stopped"]) or "nothing"
        left = self._result["left"]
        beside = f"; {', '.join(left)} left alone, because devinit did not start it" if left else ""
        return f"{name}: stopped {stopped} in {duration(seconds)}{beside}"

    def as_object(self) -> Json:
        """Return the result for a program."""
        return {
            "project": self._project["project"],
            "root": self._project["root"],
            "stopped": self._result["stopped"],
            "left": self._result["left"],
            "error": None if self.error is None else self.error.message,
        }
