"""Specifies `devinit.supervisor.record.recording`: written once for many changes, and before anybody is told of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.record import recording as recording_module
from devinit.supervisor.record.recording import SOON_SECONDS, Recorder
from devinit.supervisor.record.state_file import State, read_caller, read_state

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("machine")


class Recording:
    """A recorder, and what it was asked to write."""

    def __init__(self, root: Path) -> None:
        self.stage = ProjectState(root, Broadcaster())
        self.written: list[State] = []
        self.warnings: list[str] = []
        self.recorder = Recorder(self.stage, self.state, self.warnings.append)

    def state(self) -> State:
        self.written.append(State(project=f"the {len(self.written) + 1}. record"))
        return self.written[-1]

    async def moment(self) -> None:
        """Wait until everything that was planned until now has been done."""
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(2 * SOON_SECONDS, done.set_result, None)
        await done


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


class TestARecord:
    async def test_is_written_once_for_the_changes_of_a_moment(self, recording: Recording) -> None:
        for _ in range(20):
            recording.recorder.soon()
        assert recording.written == []

        await recording.moment()

        assert len(recording.written) == 1
        assert read_state(recording.stage.private) == recording.written[0]

    async def test_is_written_again_after_another_change(self, recording: Recording) -> None:
        recording.recorder.soon()
        await recording.moment()
        recording.recorder.soon()
        await recording.moment()

        assert read_state(recording.stage.private).project == "the 2. record"

    async def test_is_there_before_somebody_is_told(self, recording: Recording) -> None:
        recording.recorder.soon()

        recording.recorder.up_to_date()

        assert read_state(recording.stage.private).project == "the 1. record"
        await recording.moment()
        assert len(recording.written) == 1

    async def test_that_is_there_is_not_written_again(self, recording: Recording) -> None:
        recording.recorder.now()

        recording.recorder.up_to_date()

        assert len(recording.written) == 1

    async def test_takes_the_callers_environment_along(self, recording: Recording) -> None:
        recording.stage.caller = {"PATH": "/bin"}
        recording.recorder.caller_soon()
        assert read_caller(recording.stage.private) is None

        recording.recorder.up_to_date()

        assert read_caller(recording.stage.private) == {"PATH": "/bin"}

    async def test_that_could_not_be_written_is_tried_again(
        self, recording: Recording, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recording_module, "AGAIN_SECONDS", SOON_SECONDS)
        in_the_way = recording.stage.private / "state.json"
        in_the_way.mkdir(parents=True)
        recording.recorder.now()
        in_the_way.rmdir()

        await recording.moment()

        assert read_state(recording.stage.private).project == "the 2. record"

    async def test_that_cannot_be_written_is_a_warning(self, recording: Recording) -> None:
        (recording.stage.private / "state.json").mkdir(parents=True)

        recording.recorder.now()

        [warning] = recording.warnings
        assert "state.json" in warning
        assert "it is not recorded what runs" in warning
