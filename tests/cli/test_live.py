"""Specifies what a start at a terminal shows before the dashboard is there."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from devinit.cli.live import Loading

if TYPE_CHECKING:
    from tests.cli.conftest import MakePty


class TestLoading:
    def test_is_a_line_that_is_gone_when_the_dashboard_is_there(self, make_pty: MakePty) -> None:
        pty = make_pty(80, 24)

        with Loading(pty.stream):
            assert pty.look()[0] == "… starting; the dashboard opens"

        assert pty.look() == [""]

    def test_says_nothing_where_nobody_looks(self) -> None:
        stream = io.StringIO()

        with Loading(stream):
            pass

        assert stream.getvalue() == ""
