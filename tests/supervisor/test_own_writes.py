"""Specifies `devinit.supervisor.own_writes`: every edit counts, and a service's own writes make no tight loop."""

from __future__ import annotations

from itertools import pairwise

from devinit.supervisor.own_writes import (
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
    """Return how long the restart after each of these changes is delayed, when nothing else happens."""
    history, found = History(), []
    for changes in changed:
        history = noticed(history, changes, 0.0)
        assert history.due is not None
        found.append(history.due)
        history = restarted(history)
    return found


class TestAPersonsEdits:
    def test_of_several_files_in_a_row_count_at_once_however_soon_they_come(self) -> None:
        assert waits(*({f"{name}.py": SOON} for name in "abcdefgh")) == [0.0] * 8

    def test_of_one_file_count_at_once_while_the_service_was_up_for_a_while_before_each(self) -> None:
        assert waits(*[{"app.py": LATE}] * 20) == [0.0] * 20

    def test_count_at_once_beside_a_file_that_the_service_writes_itself(self) -> None:
        history = History(in_a_row={"notes.py": 9})
        history = noticed(history, {"notes.py": SOON}, 100.0)
        assert history.due == 100.0 + DELAYS[5]

        assert noticed(history, {"app.py": SOON}, 101.0).due == 101.0

    def test_of_a_file_that_the_service_writes_itself_count_too_when_the_delay_is_over(self) -> None:
        history = noticed(History(in_a_row={"notes.py": 4}), {"notes.py": SOON}, 100.0)

        again = noticed(history, {"notes.py": LATE}, 100.5)

        assert again.due == history.due == 101.0

    def test_of_one_file_are_delayed_only_until_it_is_saved_again(self) -> None:
        """An agent that saves one file every two seconds, each time soon after the restart for the save before."""
        history, now, waited = History(), 0.0, []
        for _ in range(20):
            history = noticed(history, {"app.py": SOON}, now)
            assert history.due is not None
            waited.append(max(0.0, history.due - now))
            if history.due < now + 2:
                history = restarted(history)
            now += 2

        assert max(waited) <= 4.0
        assert waited.count(0.0) >= 12


class TestAServicesOwnWrites:
    def test_restart_it_later_and_later(self) -> None:
        assert waits(*[{"notes.py": SOON}] * 12) == [0.0] * 4 + [*DELAYS, 30.0, 30.0]

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
            history = restarted(history)

        assert len(restarts) < 25
        assert restarts[-1] - restarts[-2] > 29

    def test_are_named_as_such(self) -> None:
        history = History()
        for _ in range(5):
            history = restarted(noticed(history, {"notes.py": SOON}, 0.0))

        assert history.own == {"notes.py": DELAYS[1]}

    def test_are_forgotten_after_a_quiet_time(self) -> None:
        history = settled(History(in_a_row={"notes.py": 9}))

        assert history.own == {}
        assert noticed(history, {"notes.py": SOON}, 100.0).due == 100.0

    def test_with_the_same_content_are_no_changes_at_all(self) -> None:
        history, same = History(), {"openapi.json": Change(soon=True, digest=b"same")}
        history = settled(restarted(noticed(history, same, 0.0)))

        assert noticed(history, same, 1.0).due is None
        assert noticed(history, {"openapi.json": Change(soon=True, digest=b"other")}, 1.0).due == 1.0

    def test_with_the_same_content_are_changes_when_the_service_runs_with_another(self) -> None:
        first = {"a.json": Change(soon=True, digest=b"first")}
        edited = {"a.json": Change(soon=False, digest=b"edited")}
        history = restarted(noticed(restarted(noticed(History(), first, 0.0)), edited, 10.0))

        assert noticed(history, first, 11.0).due == 11.0

    def test_under_a_new_name_each_time_are_slowed_down_as_well(self) -> None:
        found = waits(*({f"build-{number}.js": SOON} for number in range(20)))

        assert found == [0.0] * 10 + [*ANY_DELAYS, *[ANY_DELAYS[-1]] * 7]
        assert all(before <= after for before, after in pairwise(found))
