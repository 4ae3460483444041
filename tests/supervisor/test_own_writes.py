"""Specifies `devinit.supervisor.files.own_writes`: every edit counts, and a service's own writes make no tight loop."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from devinit.supervisor.files.own_writes import (
    ANY_DELAYS,
    DELAYS,
    Change,
    History,
    noticed,
    restarted,
    settled,
)

SOON, LATE = Change(soon=True), Change(soon=False)


def waits(*changed: dict[str, Change]) -> list[float]:
    """Return how long the restart after each of these changes is delayed: 0.5 s after the restart before it."""
    history, found, now = History(), [], 0.0
    for changes in changed:
        now += 0.5
        history = noticed(history, changes, now)
        assert history.due is not None
        found.append(round(history.due - now, 3))
        now = history.due
        history = restarted(history, now)
    return found


def delays_of_saves(times: Iterator[float], until: float, restart_seconds: float) -> list[float]:
    """Return how many seconds after each save of one file a restart for it began.

    A restart takes so many seconds, and changes are gathered for 0.3 s.
    """
    history, saves, found, free_at = History(), list[float](), list[float](), 0.0
    at = next(times)
    while at < until:
        due = history.due
        if due is not None and max(due, free_at) < at + 0.3:
            began = max(due, free_at)
            history = restarted(history, began)
            free_at = began + restart_seconds
            found += [began - save for save in saves]
            saves.clear()
            continue
        noticed_at = max(at + 0.3, free_at)
        history = noticed(history, {"app.py": Change(soon=True, age=noticed_at - at)}, noticed_at)
        saves.append(at)
        at = next(times)
    return found


def every(seconds: float, jitter: float, seed: int) -> Iterator[float]:
    """Yield the times of saves."""
    chance, now = random.Random(seed), 0.0  # noqa: S311 - no secret
    while True:
        now += seconds + chance.uniform(-jitter, jitter)
        yield now


class TestAPersonsEdits:
    def test_of_several_files_in_a_row_count_at_once_however_soon_they_come(self) -> None:
        assert waits(*({f"{name}.py": SOON} for name in "abcdef")) == [0.0] * 6

    def test_of_one_file_count_at_once_while_the_service_was_up_for_a_while_before_each(self) -> None:
        assert waits(*[{"app.py": LATE}] * 20) == [0.0] * 20

    def test_count_at_once_beside_a_file_that_the_service_writes_itself(self) -> None:
        history = History(in_a_row={"notes.py": 14})
        history = noticed(history, {"notes.py": SOON}, 100.0)
        assert history.due == 100.0 + DELAYS[5]

        assert noticed(history, {"app.py": SOON}, 101.0).due == 101.0

    def test_of_a_file_that_the_service_writes_itself_count_too_when_the_delay_is_over(self) -> None:
        history = noticed(History(in_a_row={"notes.py": 9}), {"notes.py": SOON}, 100.0)

        again = noticed(history, {"notes.py": LATE}, 100.5)

        assert again.due == history.due == 101.0

    @pytest.mark.parametrize("restart_seconds", [0.1, 0.6])
    @pytest.mark.parametrize("jitter", [0.0, 0.1, 0.3])
    @pytest.mark.parametrize("seconds", [1.5, 2.0, 3.0])
    def test_of_one_file_again_and_again_are_each_seen_within_two_seconds(
        self, seconds: float, jitter: float, restart_seconds: float
    ) -> None:
        """An agent that saves each time soon after the restart for the save before."""
        for seed in range(10):
            waited = delays_of_saves(every(seconds, jitter, seed), 120.0, restart_seconds)

            assert len(waited) > 30
            assert max(waited) <= 2.0

    def test_of_several_files_in_a_row_are_each_seen_within_two_seconds(self) -> None:
        history, now = History(), 0.0
        for number in range(40):
            now += 1.5
            history = noticed(history, {f"module{number % 7}.py": SOON}, now)
            assert history.due is not None
            assert history.due - now < 1.3
            history = restarted(history, history.due)


class TestAServicesOwnWrites:
    def test_restart_it_later_and_later(self) -> None:
        found = waits(*[{"notes.py": SOON}] * 17)

        assert found == [0.0] * 3 + [1.2, 0.0] * 3 + [*DELAYS, 30.0, 30.0]

    @pytest.mark.parametrize("start_seconds", [0.3, 1.5, 4.0])
    def test_do_so_when_its_starts_take_unequally_long(self, start_seconds: float) -> None:
        chance, history, now, found = random.Random(3), History(), 0.0, []  # noqa: S311 - no secret
        for _ in range(60):
            now += start_seconds * chance.uniform(0.9, 1.2)
            history = noticed(history, {"notes.py": SOON}, now)
            assert history.due is not None
            found.append(history.due - now)
            now = history.due
            history = restarted(history, now)

        assert found[-10:] == pytest.approx([30.0] * 10)

    def test_do_so_when_it_writes_twice_at_each_start(self) -> None:
        history, now, restarts = History(), 0.0, []
        while now < 200:
            # Up at `now`; it writes 0.3 s and 2.3 s after that, if it is not restarted before.
            for at in (now + 0.3, now + 2.3):
                if history.due is None or at < history.due:
                    history = noticed(history, {"notes.py": SOON}, at)
            assert history.due is not None
            now = history.due
            restarts.append(now)
            history = restarted(history, now)

        assert len(restarts) < 32
        assert restarts[-1] - restarts[-2] > 29

    def test_do_so_when_it_goes_on_writing_every_other_second(self) -> None:
        history, now, restarts = History(), 0.0, []
        while now < 600:
            at = now + 0.3
            while history.due is None or at < history.due:
                history = noticed(history, {"notes.py": SOON}, at)
                at += 2.0
            now = history.due
            restarts.append(now)
            history = restarted(history, now)

        assert restarts[-1] - restarts[-2] > 15

    def test_are_named_as_such(self) -> None:
        history, now = History(), 0.0
        for _ in range(10):
            history = noticed(history, {"notes.py": SOON}, now + 0.4)
            assert history.due is not None
            now = history.due
            history = restarted(history, now)

        assert history.own == {"notes.py": DELAYS[1]}

    def test_are_forgotten_after_a_quiet_time(self) -> None:
        history = settled(History(in_a_row={"notes.py": 9}))

        assert history.own == {}
        assert noticed(history, {"notes.py": SOON}, 100.0).due == 100.0

    def test_with_the_same_content_are_no_changes_at_all(self) -> None:
        history, same = History(), {"openapi.json": Change(soon=True, digest=b"same")}
        history = settled(restarted(noticed(history, same, 0.0), 0.0))

        assert noticed(history, same, 1.0).due is None
        assert noticed(history, {"openapi.json": Change(soon=True, digest=b"other")}, 1.0).due == 1.0

    def test_with_the_same_content_are_changes_when_the_service_runs_with_another(self) -> None:
        first = {"a.json": Change(soon=True, digest=b"first")}
        edited = {"a.json": Change(soon=False, digest=b"edited")}
        history = restarted(noticed(restarted(noticed(History(), first, 0.0), 0.0), edited, 10.0), 10.0)

        assert noticed(history, first, 11.0).due == 11.0

    def test_under_a_new_name_each_time_are_slowed_down_as_well(self) -> None:
        found = waits(*({f"build-{number}.js": SOON} for number in range(20)))

        assert found == [0.0] * 6 + [1.2, 0.0] * 3 + [*ANY_DELAYS, *[ANY_DELAYS[-1]] * 5]
