"""Lines of several services in the order in which they were printed. Pure."""

from __future__ import annotations

from heapq import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from devinit.logs.lines import Line


def in_order(streams: Mapping[str, Iterable[Line]]) -> Iterator[tuple[str, Line]]:
    """Yield each line with its service; only one line of each service is in memory at a time.

    Lines of one moment come in the order of the services, and those of one service never change places.
    """

    def named(service: str, lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
        return ((service, line) for line in lines)

    yield from merge(*(named(*each) for each in streams.items()), key=lambda each: each[1].time)
