"""Specifies when a byte of a log was written, as far as that is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from devinit.logs.times import Times, last_point, point, read_times, thinned, times_path


def times(*points: tuple[int, float]) -> Times:
    found = Times()
    for offset, time in points:
        found.note(offset, time)
    return found


class TestTheTimeOfALine:
    def test_lies_between_the_points_around_its_end_in_proportion(self) -> None:
        known = times((0, 100.0), (1000, 101.0))

        assert [known.at(end) for end in (0, 250, 1000)] == [100.0, 100.25, 101.0]

    def test_is_exact_for_the_last_one_before_a_silence_and_the_first_one_after_it(self) -> None:
        known = times((0, 100.0), (50, 100.5), (50, 7300.0), (90, 7300.25))

        assert known.at(50) == 100.5
        assert 7300.0 < known.at(51) < 7300.25

    def test_is_that_of_the_last_write_where_nobody_looked_and_one_line_came(self) -> None:
        assert times((0, 100.0), (50, 100.5), (90, 7300.25)).at(90) == 7300.25

    def test_of_what_is_older_than_everything_known_is_not_later(self) -> None:
        assert times((500, 100.0), (600, 101.0)).at(3) == 100.0

    def test_of_what_is_newer_is_the_last_that_is_known(self) -> None:
        assert times((0, 100.0), (600, 101.0)).at(601) == 101.0

    def test_is_never_earlier_than_that_of_a_byte_before_it_also_when_the_clock_was_set_back(self) -> None:
        known = times((0, 100.0), (10, 101.0), (20, 50.0), (30, 102.0))

        found = [known.at(offset) for offset in range(31)]
        assert found == sorted(found)

    def test_is_void_when_the_file_was_emptied_or_its_inode_belongs_to_another_one(self) -> None:
        known = times((0, 100.0), (5000, 200.0), (0, 300.0), (40, 301.0))

        assert known.at(0) == 300.0


class TestSince:
    def test_is_the_last_place_before_which_everything_is_older(self) -> None:
        known = times((0, 100.0), (50, 101.0), (50, 200.0), (90, 201.0))

        assert known.since(200.5) == 50
        assert known.since(150.0) == 50
        assert known.since(100.5) == 0
        assert known.since(1.0) == 0
        assert known.since(300.0) == 90

    @given(
        some.lists(some.tuples(some.integers(0, 30), some.integers(0, 30)), max_size=8), some.floats(0, 300)
    )
    def test_leaves_nothing_out(self, steps: list[tuple[int, int]], moment: float) -> None:
        offset, time, known = 0, 0.0, Times()
        for more, later in steps:
            offset, time = offset + more, time + later
            known.note(offset, time)

        # As lines are chosen: the time at which they end.
        late = [place for place in range(offset + 1) if known.at(place) >= moment]
        if late:
            assert known.since(moment) <= late[0]


class TestTheFile:
    def test_is_read_by_inode_with_its_runs(self) -> None:
        text = point(7, 0, 100.0, run=True) + point(7, 40, 101.0) + point(8, 0, 200.0, run=True)

        known = read_times(text)

        assert known[7].at(20) == 100.5
        assert known[7].run_at(20) == 100.0
        assert known[8].run_at(1) == 200.0

    def test_may_have_lines_that_make_no_sense(self) -> None:
        known = read_times("7 0 100.0\n7 40 10\x00x\nnonsense\n\n7 80 102.0\n7 1")

        assert known[7].at(40) == 101.0

    def test_lies_beside_the_log(self) -> None:
        assert times_path("/shop/logs/backend.log") == "/shop/logs/backend.times"


LINES = [point(7, offset, 1000.0 + offset) for offset in range(1000)]


class TestThinningOut:
    def test_forgets_files_that_are_gone(self) -> None:
        assert thinned([point(6, 0, 1.0), point(7, 0, 2.0)], {7}, 100) == [point(7, 0, 2.0)]

    def test_keeps_what_is_new_and_less_of_what_is_old(self) -> None:
        kept = thinned(LINES, {7}, 100)

        assert len(kept) <= 75
        assert kept[-30:] == LINES[-30:]
        assert kept[0] == LINES[0]

    def test_keeps_where_runs_begin(self) -> None:
        runs = [point(7, offset, 1000.0 + offset, run=True) for offset in (111, 777)]
        lines = sorted([*LINES, *runs], key=lambda line: int(line.split()[1]))

        assert set(runs) <= set(thinned(lines, {7}, 200))

    def test_ends_also_when_there_are_only_runs(self) -> None:
        runs = [point(7, offset, 1000.0, run=True) for offset in range(10_000)]

        assert len(thinned(runs, {7}, 100)) <= 75

    def test_moves_no_line_far_and_fills_no_long_silence(self) -> None:
        # A line a second, ten in a burst, then an hour of silence: forty times.
        steps = [(10 * number, 3600.0 * (number // 10) + number % 10) for number in range(400)]
        lines = [
            text
            for offset, time in steps
            for text in (point(7, max(0, offset - 10), time), point(7, offset, time))
        ]

        known = read_times("".join(thinned(lines, {7}, 800)))[7]

        assert max(abs(known.at(offset) - time) for offset, time in steps) <= 3.2


class TestTheLastPoint:
    def test_is_that_of_the_file_although_another_one_follows(self) -> None:
        text = "17 0 100.000\n17 50 100.500\n17 torn\n18 10 101.000 run\n"

        assert last_point(text, 17) == (50, 100.5)
        assert last_point(text, 18) == (10, 101.0)

    def test_is_none_for_a_file_without_points(self) -> None:
        assert last_point("17 0 100.000\n", 7) is None
