"""Specifies that no regular expression of the user keeps a process busy for long."""

from __future__ import annotations

import re
import signal
import time
from types import SimpleNamespace

import pytest

from devinit.system import matching
from devinit.system.matching import PatternTooSlow, Search, is_found


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a match a twentieth of a second, and let none have computed before.

    What it may compute grows as time passes: here, with the time of this process alone, however busy the machine is.
    """
    monkeypatch.setattr(matching, "LONGEST_SECONDS", 0.05)
    clock = SimpleNamespace(monotonic=time.process_time, process_time=time.process_time)
    monkeypatch.setattr(matching, "time", clock)
    monkeypatch.setattr(matching, "_allowance", matching.Allowance())


@pytest.mark.timeout(120)
class TestAPattern:
    def test_is_found_in_a_text(self) -> None:
        assert is_found(r"listening on .*:\d+$", "ready: listening on 127.0.0.1:8000")
        assert not is_found(r"listening", "starting")

    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            ("(a+)+$", "a" * 60 + "!"),
            ("(a|aa)+$", "a" * 60 + "!"),
            (r"(\w+\s*)+ready$", "word " * 40 + "!"),
            ("a*a*a*a*b", "a" * 3000),
            ("(.*?,){25}x", "1,2,3,4,5,6,7,8,9,0" * 10),
            ("(?=(a+)+b)", "a" * 60),
        ],
    )
    def test_that_takes_for_ever_is_given_up(self, pattern: str, text: str) -> None:
        with pytest.raises(PatternTooSlow, match=r"takes longer than 0\.05 s: rewrite it"):
            is_found(pattern, text)

    def test_that_took_too_long_is_not_tried_again_at_once(self) -> None:
        with pytest.raises(PatternTooSlow):
            is_found("(a+)+$", "a" * 60 + "!")
        begun = time.process_time()

        with pytest.raises(PatternTooSlow):
            is_found("(a+)+$", "a" * 60 + "!")

        assert time.process_time() - begun < 0.04

    def test_that_is_slow_takes_no_time_from_a_sound_one(self) -> None:
        for number in range(10):
            with pytest.raises(PatternTooSlow):
                is_found(f"(a+)+{number}$", "a" * 60 + "!")

        assert is_found(r"listening on .*:\d+$", "listening on 127.0.0.1:8000")

    def test_shares_its_time_with_all_others_that_are_slow(self) -> None:
        begun = time.process_time()

        for number in range(100):
            with pytest.raises(PatternTooSlow):
                is_found(f"(a+)+{number}$", "a" * 60 + "!")
        first = time.process_time() - begun
        for number in range(100):
            with pytest.raises(PatternTooSlow):
                is_found(f"(a+)+{number}$", "a" * 60 + "!")

        # A twentieth of a second for each would be 5 s, and again.
        assert first < 3.5
        assert time.process_time() - begun - first < 0.2

    def test_leaves_the_signal_and_its_timer_as_they_were(self) -> None:
        before = signal.getsignal(signal.SIGVTALRM)

        with pytest.raises(PatternTooSlow):
            is_found("(a+)+$", "a" * 60 + "!")

        assert signal.getsignal(signal.SIGVTALRM) == before
        assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


@pytest.mark.timeout(120)
class TestASearchInManyTexts:
    def test_finds_what_matches(self) -> None:
        with Search(re.compile("b$")) as search:
            assert [text for text in ("ab", "ba", "bb") if search.is_found(text)] == ["ab", "bb"]

    def test_is_not_ended_by_many_texts_that_together_take_longer(self) -> None:
        begun = time.process_time()
        with Search(re.compile("x")) as search:
            while time.process_time() - begun < 4 * matching.LONGEST_SECONDS:
                assert not search.is_found("a" * 1000)

    def test_is_ended_by_the_text_that_takes_for_ever(self) -> None:
        before = signal.getsignal(signal.SIGVTALRM)

        with Search(re.compile("(a+)+$")) as search:
            assert search.is_found("aa")
            with pytest.raises(PatternTooSlow):
                search.is_found("a" * 60 + "!")

        assert signal.getsignal(signal.SIGVTALRM) == before
        assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
