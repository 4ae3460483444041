"""How a service came to be as it is: since when, why, by whom. It is reported; nothing is decided by it."""

from __future__ import annotations

import time

from devinit.model.status import Phase, WrongServer
from devinit.supervisor import lifecycle
from devinit.supervisor.lifecycle import LifecycleEvent, LifecycleState


class History:
    """The latest events in the life of one service. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.phase_since = time.monotonic()
        """When it entered its phase."""
        self.stuck_since: float | None = None
        """Since when it has been stuck for the reason that keeps it from coming up now; None while it is not."""
        self.starting_since: float | None = None
        """When this start began: its dependencies were ready, or a delay was over."""
        self.ready_seconds: float | None = None
        """How long its start took; None before it is ready, and when an earlier supervisor began it."""
        self.last_probe = ""
        """What the last attempt of the probe saw, until it succeeded."""
        self.restarted_for: str | None = None
        """Why it was started again last, when no command asked for that and it had not failed."""
        self.failed_command: str | None = None
        """The `setup` or `before_start` command that failed last, until it is started again."""
        self.talks_to: list[str] = []
        """The services of the project that it was connected to when that was looked at last."""
        self.wrong_servers: list[WrongServer] = []
        """Servers that it was connected to then in the place of the project's own."""
        self.stopped_by: str | None = None
        """Which client stopped it and when, until it is started again."""

    @property
    def in_phase_seconds(self) -> float:
        """For how long it has been in its phase."""
        return time.monotonic() - self.phase_since

    def follow(
        self, before: LifecycleState, state: LifecycleState, event: LifecycleEvent, now: float
    ) -> None:
        """Take note of an event that led from one state to another."""
        if state.phase is not before.phase:
            self._enter(state.phase, event, now)
        if state.stuck != before.stuck:
            self.stuck_since = None if state.stuck is None else now
        if isinstance(event, lifecycle.BecameReady) and state is not before:
            self.last_probe = ""
            begun, self.starting_since = self.starting_since, None
            self.ready_seconds = now - begun if begun is not None else None

    def _enter(self, phase: Phase, event: LifecycleEvent, now: float) -> None:
        self.phase_since = now
        if phase is Phase.STARTING:
            self.talks_to, self.wrong_servers = [], []
        if phase is Phase.STARTING and not isinstance(event, lifecycle.Adopted | lifecycle.WentDown):
            self.starting_since = now
        if phase is Phase.EXITED:
            self.last_probe = ""
        if phase is Phase.WAITING:
            self.failed_command = self.stopped_by = self.ready_seconds = None
        if phase in (Phase.WAITING, Phase.BACKOFF, Phase.STOPPED):
            # Asked for, failed or ended: whatever it is started for next is another reason.
            self.restarted_for = None
