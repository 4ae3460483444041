"""Specifies `devinit.dashboard.asked`: what was typed into an input line before."""

from __future__ import annotations

from devinit.dashboard.asked import MOST, History


class TestAHistory:
    def test_goes_back_to_the_first_text_and_no_further(self) -> None:
        history = History()
        history.add("one")
        history.add("two")

        assert [history.older() for _ in range(3)] == ["two", "one", None]
        assert [history.newer() for _ in range(3)] == ["two", "", None]

    def test_keeps_a_text_once_as_the_latest(self) -> None:
        history = History()
        for text in ("one", "two", "one", ""):
            history.add(text)

        assert [history.older() for _ in range(3)] == ["one", "two", None]

    def test_looks_back_from_the_end_when_it_begins_again(self) -> None:
        history = History()
        history.add("one")
        history.older()

        history.begin()

        assert history.older() == "one"

    def test_keeps_so_many(self) -> None:
        history = History()
        for number in range(MOST + 10):
            history.add(str(number))

        assert len([text for text in iter(history.older, None) if text]) == MOST
