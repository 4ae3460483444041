"""Specifies `devinit.supervisor.diagnosis.listening`: a start learns at once of a service that cannot come up by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis import listening
from devinit.supervisor.diagnosis.listening import Ears, Finding, Sign, found_in, listen
from devinit.supervisor.diagnosis.workers import DeadWorker
from devinit.supervisor.lifecycle import Moving, Stuck

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CRASH = ["Traceback (most recent call last):", '  File "app.py", line 3', "KeyError: 'SECRET_KEY'"]
DIED = ["INFO:     Child process [4] died", "DATABASE_URL is missing"]


class Patient:
    """A service whose output and answers a test decides about, and what is told of it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.answer: int | None = None
        self.logs_each_request = False
        self.dead: DeadWorker | None = None
        self.said: list[str] = []
        self.told: asyncio.Queue[Stuck | Moving] = asyncio.Queue()

    def ears(self) -> Ears:
        return Ears(
            size=self.size,
            last_lines=lambda count: self.lines[-count:],
            answer=lambda: self.answer,
            dead_worker=lambda _lines: self.dead,
        )

    def size(self) -> int:
        if self.logs_each_request:
            self.lines.append(" GET / 500 in 3ms")
        return sum(map(len, self.lines))

    async def next(self) -> Stuck | Moving:
        async with asyncio.timeout(20):
            return await self.told.get()


@pytest.fixture
async def patient(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    """A service that is listened to, in a fiftieth of the time."""
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(listening, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(listening, "WORKER_LOOK_SECONDS", 0.02)
    patient = Patient()
    task = asyncio.create_task(listen(patient.ears(), patient.said.append, patient.told.put_nowait))
    yield patient
    task.cancel()


class TestASign:
    def test_is_an_answer_of_500_with_a_cause_in_the_output(self) -> None:
        assert found_in(["Module not found: Can't resolve './x'", " GET / 500 in 3ms"], 500) == Finding(
            Sign.ANSWER, "Module not found: Can't resolve './x'"
        )

    @pytest.mark.parametrize("status", [None, 404, 502, 503])
    def test_is_no_other_answer(self, status: int | None) -> None:
        assert found_in(["Error: no database yet", "trying again"], status) is None

    def test_is_no_cause_of_an_earlier_run(self) -> None:
        assert found_in([*CRASH, "WatchFiles detected changes in 'app.py'. Reloading..."], 500) is None

    def test_is_no_answer_of_500_without_a_cause(self) -> None:
        assert found_in(["GET / 500 in 3ms"], 500) is None

    def test_is_the_death_of_worker_after_worker(self) -> None:
        assert found_in(DIED * 3, None) == Finding(
            Sign.WORKERS, "its workers die again and again: DATABASE_URL is missing"
        )


class TestAServiceThatStarts:
    async def test_and_ends_its_output_with_a_crash_is_stuck(self, patient: Patient) -> None:
        patient.lines += CRASH

        assert await patient.next() == Stuck(
            "KeyError: 'SECRET_KEY'\nit runs and waits for a change: it becomes ready when that is fixed"
        )
        assert patient.said == ["KeyError: 'SECRET_KEY'"]

    async def test_moves_again_when_it_prints_something(self, patient: Patient) -> None:
        patient.lines += CRASH
        await patient.next()

        patient.lines.append("Reloading...")

        assert await patient.next() == Moving()

    async def test_and_answers_500_is_stuck_though_each_request_is_logged(self, patient: Patient) -> None:
        patient.lines += ["Module not found: Can't resolve './x'"]
        patient.answer = 500
        patient.logs_each_request = True

        told = await patient.next()

        assert isinstance(told, Stuck)
        assert told.cause.startswith("Module not found: Can't resolve './x'\nit runs and answers 500")

    async def test_moves_again_when_it_answers_something_else(self, patient: Patient) -> None:
        patient.lines += ["Module not found: Can't resolve './x'"]
        patient.answer = 500
        await patient.next()

        patient.answer = None

        assert await patient.next() == Moving()

    async def test_whose_reloader_lost_its_worker_is_stuck(self, patient: Patient) -> None:
        patient.lines += [
            "INFO:     Started reloader process [7] using StatReload",
            "DATABASE_URL is missing",
        ]
        patient.dead = DeadWorker(42, 1 << 8)

        told = await patient.next()

        assert isinstance(told, Stuck)
        assert told.cause.startswith("its worker (pid 42) exited with code 1: DATABASE_URL is missing\n")

    async def test_whose_worker_died_after_an_ordinary_line_is_not_said_to_die_of_that(
        self, patient: Patient
    ) -> None:
        patient.lines += [
            "INFO:     Started reloader process [7] using StatReload",
            "connected to the store",
        ]
        patient.dead = DeadWorker(42, 3 << 8)

        told = await patient.next()

        assert isinstance(told, Stuck)
        said = "its worker (pid 42) exited with code 3; its last line: connected to the store\n"
        assert told.cause.startswith(said)

    async def test_whose_worker_dies_without_a_word_is_not_said_to_die_of_what_a_save_has_mended(
        self, patient: Patient
    ) -> None:
        patient.lines += [*CRASH, "WARNING:  WatchFiles detected changes in 'app.py'. Reloading..."]
        patient.dead = DeadWorker(42, 9)

        told = await patient.next()

        assert isinstance(told, Stuck)
        assert told.cause.startswith("its worker (pid 42) was ended by SIGKILL\n")

    async def test_moves_again_when_its_reloader_starts_another_worker_without_a_word(
        self, patient: Patient
    ) -> None:
        patient.dead = DeadWorker(42, 11)
        await patient.next()

        patient.dead = None

        assert await patient.next() == Moving()
