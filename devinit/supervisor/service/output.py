"""What a service prints: its log, and where in it the current run begins."""

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
        """Where in the log the current or the last run begins, in bytes."""
        self.path = log_files.log_path(stage.private, name)
        self._stage = stage

    def size(self) -> int:
        """Return how long the log is, in bytes."""
        return log_files.end_of(self.path)

    def begins(self, offset: int | None = None) -> None:
        """Let a run begin at an offset of the log; without one, behind everything that was printed so far."""
        self.offset = self.size() if offset is None else offset

    def tail(self, service: Service, count: int, since: int = 0) -> list[str]:
        """Return the last lines of the run, without the project's secrets and the requests of devinit itself.

        `since`: an offset before which nothing counts.
        """
        health = service.health
        asked = {path for path in (service.ready.http, health.http if health else None) if path}
        lines = [*without_own_requests(log_files.run_lines(self.path, max(self.offset, since)), asked)]
        if not lines:
            return []
        # Preloaded, and 9 ms that no service waits for which has printed nothing when it is looked at first.
        from devinit.logs.mask import KeyLines

        keys = KeyLines()
        return [self._stage.mask(line) for line in [keys("", line) for line in lines][-count:]]

    def first_lines(self) -> Iterator[str]:
        """Yield the lines that the run began with; read when the first one is asked for."""
        yield from log_files.first_lines(self.path, self.offset)

    def printed(self, since: int | None = None) -> str:
        """Return what was printed since an offset; without one, in this run."""
        return log_files.read_from(self.path, self.offset if since is None else since)

    def read(self, since: int | None = None) -> log_files.NewOutput:
        """Return a reader of what is printed from an offset on; without one, from the beginning of this run."""
        return log_files.NewOutput(self.path, self.offset if since is None else since)

    def looks(self) -> int:
        """Return how often such a reader must look to have seen all of this run."""
        return 1 + (self.size() - self.offset) // log_files.LOOK_BYTES
