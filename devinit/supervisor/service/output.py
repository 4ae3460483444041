"""The output of a service: its log, and the offset at which the current run begins."""

from __future__ import annotations

from collections.abc import Iterator

from devinit.model.service import Service
from devinit.supervisor.logs import log_files
from devinit.supervisor.logs.access_lines import without_own_requests
from devinit.supervisor.project.project_state import ProjectState


class Output:
    """The output of one service. It is in a file, also for a service that an earlier supervisor started."""

    def __init__(self, stage: ProjectState, name: str) -> None:
        self.offset = 0
        """Offset in the log, in bytes, at which the current or the last run begins."""
        self.path = log_files.log_path(stage.private, name)
        self._stage = stage

    def size(self) -> int:
        """Return the length of the log in bytes."""
        return log_files.end_of(self.path)

    def begins(self, offset: int | None = None) -> None:
        """Begin a run at an offset of the log; without one, at its present end."""
        self.offset = self.size() if offset is None else offset

    def tail(self, service: Service, count: int, since: int = 0) -> list[str]:
        """Return the last lines of the run, without the project's secrets and devinit's own requests.

        `since`: the offset before which lines are ignored.
        """
        health = service.health
        asked = {path for path in (service.ready.http, health.http if health else None) if path}
        lines = [*without_own_requests(log_files.run_lines(self.path, max(self.offset, since)), asked)]
        if not lines:
            return []
        # Usually preloaded; it takes 9 ms, which the first look at a service without any output does not pay.
        from devinit.logs.mask import KeyLines

        keys = KeyLines()
        return [self._stage.mask(line) for line in [keys("", line) for line in lines][-count:]]

    def first_lines(self) -> Iterator[str]:
        """Yield the first lines of the run; they are read when the first one is requested."""
        yield from log_files.first_lines(self.path, self.offset)

    def printed(self, since: int | None = None) -> str:
        """Return the output since an offset; without one, of this run."""
        return log_files.read_from(self.path, self.offset if since is None else since)

    def read(self, since: int | None = None) -> log_files.NewOutput:
        """Return a reader of new output from an offset; without one, from the beginning of this run."""
        return log_files.NewOutput(self.path, self.offset if since is None else since)

    def looks(self) -> int:
        """Return how many times such a reader must read to cover this run."""
        return 1 + (self.size() - self.offset) // log_files.LOOK_BYTES
