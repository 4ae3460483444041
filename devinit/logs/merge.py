"""Merging of the lines of several services by time. Pure."""

from __future__ import annotations

from heapq import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from devinit.logs.lines import Line


def in_order(streams: Mapping[str, Iterable[Line]]) -> Iterator[tuple[str, Line]]:
    """Yield each line with its service; only one line of each service is in memory at a time.

    Lines with the same time have the order of the services, and lines of one service keep their order.
    """

    def named(service: str, lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
        return ((service, line) for line in lines)

    yield from merge(*(named(*each) for each in streams.items()), key=lambda each: each[1].time)
