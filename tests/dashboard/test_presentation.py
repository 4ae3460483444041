"""Specifies what the cells of the dashboard say, without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit.dashboard import port_table
from devinit.dashboard.details import dependencies, environment, explanation, reasons
from devinit.dashboard.farewell import farewell
from devinit.dashboard.port_table import neighbour_lines
from devinit.dashboard.presentation import (
    MARKS,
    banner,
    headline,
    is_link_at,
    percent,
    size,
    sparkline,
    table,
    uptime,
)
from devinit.dashboard.state import LinkState, Stack, View, happened, in_words
from devinit.model.status import Phase, WrongServer
from devinit.text import width
from tests.dashboard.conftest import WHY

if TYPE_CHECKING:
    from devinit.model.neighbour import PortRow

READY = View(
    name="backend",
    phase="ready",
    port=8001,
    preferred_port=8000,
    url="http://localhost:8001",
    pid=42,
    started_at=0.0,
    cpu=(5.0, 50.0),
    memory=88_000_000,
)


WRONG: WrongServer = {
    "kind": "postgres",
    "port": 5432,
    "socket": None,
    "project": "guestbook",
    "root": "/work/guestbook",
    "service": "postgres",
    "pid": 811,
    "instead_of": "postgres",
    "own_port": 5433,
    "text": "connected to guestbook's postgres (port 5432), not to its own (5433)",
    "advice": ["alembic.ini:3 names localhost:5432; nothing tells it 5433"],
}


def stack(*views: View) -> Stack:
    return Stack(project="shop", root="/home/ada/shop", supervisor=1, services={v.name: v for v in views})


def text(pieces: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in pieces)


class TestTheTable:
    def test_says_where_a_service_is_and_where_it_was_meant_to_be(self) -> None:
        _, [line] = table(stack(READY), 100, 60.0)

        assert "8001 ← 8000" in text(line)
        assert text(line).endswith("http://localhost:8001")

    @pytest.mark.parametrize("columns", range(1, 220, 7))
    def test_is_never_wider_than_the_terminal_unless_a_name_and_a_port_are(self, columns: int) -> None:
        header, [line] = table(stack(READY), columns, 60.0)

        assert width(text(line)) <= max(columns, len(" ● backend  8001 ← 8000  "))
        assert width(text(header)) <= max(columns, len(" ● backend  8001 ← 8000  "))

    def test_leaves_out_columns_before_it_leaves_out_the_url(self) -> None:
        _, [line] = table(stack(READY), 60, 60.0)

        assert "http://localhost:8001" in text(line)
        assert "88 MB" not in text(line)

    def test_leaves_out_a_column_where_a_moved_port_needs_its_room(self) -> None:
        url = "http://admin.localhost:24621"
        moved = msgspec.structs.replace(READY, port=24621, preferred_port=24620, url=url, cpu=(1.0,) * 8)

        header, lines = table(stack(moved), 80, 60.0)

        assert text(lines[0]).endswith(url)
        assert "CPU" in text(header)

    def test_keeps_its_columns_beside_a_url_that_is_cut_anyway(self) -> None:
        long = msgspec.structs.replace(READY, url="http://localhost:8000/" + "x" * 90)

        header, _ = table(stack(long), 80, 60.0)

        assert "MEMORY" in text(header)

    def test_shows_the_reason_in_place_of_the_url(self) -> None:
        failed = View(
            name="backend", phase="failed", port=8000, preferred_port=8000, reason="exited with 3\nmore"
        )

        _, [line] = table(stack(failed), 50, 0.0)

        assert text(line).rstrip().endswith("failed: exited with 3")

    def test_shows_what_a_service_is_busy_with(self) -> None:
        busy = View(name="db", phase="starting", doing="creating the database cluster")

        _, [line] = table(stack(busy), 100, 0.0)

        assert text(line).rstrip().endswith("creating the database cluster")

    def test_says_that_the_configuration_is_newer(self) -> None:
        drifted = View(name="web", phase="ready", pid=1, url="http://localhost:1", changed="command")

        _, [line] = table(stack(drifted), 100, 0.0)

        assert "configuration is newer" in text(line)
        assert is_link_at(line, text(line).index("http"))
        assert not is_link_at(line, text(line).index("configuration"))

    def test_says_in_red_that_a_service_uses_another_server_than_its_own(self) -> None:
        misled = View(
            name="web", phase="ready", pid=1, url="http://localhost:1", wrong_server=in_words([WRONG])
        )

        _, [line] = table(stack(misled), 80, 0.0)

        assert ("wrong postgres: guestbook's on port 5432", "bad") in line

    def test_gives_up_columns_rather_than_cut_that(self) -> None:
        busy = msgspec.structs.replace(READY, wrong_server=in_words([WRONG]))

        _, [line] = table(stack(busy), 80, 0.0)

        assert ("wrong postgres: guestbook's on port 5432", "bad") in line

    def test_shows_the_url_again_once_it_is_told_that_the_connection_is_gone(self) -> None:
        misled = stack(View(name="web", phase="ready", pid=1, url="http://localhost:1"))
        told = {"type": "wrong_servers", "at": 1.0, "service": "web"}

        during = happened(misled, {**told, "servers": [WRONG]}, 0.0)
        after = happened(during, {**told, "servers": []}, 0.0)

        assert "wrong postgres" in text(table(during, 80, 0.0)[1][0])
        assert "http://localhost:1" in text(table(after, 80, 0.0)[1][0])

    def test_shows_a_question_with_a_symbol_of_its_own_until_it_was_answered(self) -> None:
        calm = stack(View(name="web", phase="ready", pid=1, url="http://localhost:1"))
        wait = {"prompt": "(Pdb)", "kind": "debugger", "pid": 1, "since": 1.0}
        told = {"type": "waits_for_input", "at": 1.0, "service": "web"}

        during = happened(calm, {**told, "waits_for_input": wait}, 0.0)
        after = happened(during, {**told, "waits_for_input": None}, 0.0)

        _, [line] = table(during, 80, 0.0)
        assert line[0] == (" ▌ ", "attention")
        assert ("waits for input at (Pdb)", "attention") in line
        assert "http://localhost:1" in text(table(after, 80, 0.0)[1][0])

    def test_tells_the_state_of_a_service_longer_than_it_draws_bars(self) -> None:
        busy = msgspec.structs.replace(READY, cpu=(50.0,) * 8)

        for columns in range(20, 200):
            header, [line] = table(stack(busy), columns, 60.0)
            assert "STATE" in text(header) or ("▅" not in text(line) and columns < 80)

    def test_never_shows_a_password(self) -> None:
        database = View(name="db", phase="ready", url="postgresql://shop:geheim@127.0.0.1:5432/shop")

        _, [line] = table(stack(database), 160, 0.0)

        assert "geheim" not in text(line)

    def test_obeys_nothing_that_a_reason_contains(self) -> None:
        nasty = View(name="db", phase="failed", reason="\x1b[2Jgone\x07")

        _, [line] = table(stack(nasty), 100, 0.0)

        assert "\x1b" not in text(line)

    def test_has_a_mark_of_its_own_for_every_phase(self) -> None:
        assert set(MARKS) == {phase.value for phase in Phase}
        assert len({mark for mark, _ in MARKS.values()}) == len(MARKS)


class TestTheHeadline:
    def test_counts_what_is_as_it_should_be(self) -> None:
        views = (READY, View(name="a", phase="failed"), View(name="b", phase="exited"))

        said = text(headline(stack(*views), 100, LinkState.HELD))

        assert "1 of 3 ready, 1 finished  1 failed  1 moved" in said
        assert said.rstrip().endswith("/home/ada/shop")

    def test_says_that_nobody_looks_after_it(self) -> None:
        assert "no supervisor" in text(headline(stack(READY), 80, LinkState.CUT))

    def test_says_nothing_of_a_supervisor_that_is_only_looked_for(self) -> None:
        said = text(headline(stack(), 80, LinkState.SOUGHT))

        assert "connecting…" in said
        assert "supervisor" not in said


class TestTheBanner:
    def test_says_that_the_configuration_cannot_be_read_for_as_long_as_that_is_so(self) -> None:
        broken = msgspec.structs.replace(stack(READY), configuration_error="devinit.toml, line 3: no table")

        assert text(banner(broken, None)) == (
            "devinit.toml, line 3: no table; the services run as they were configured before"
        )
        assert banner(stack(READY), None) == []


class TestTheDetails:
    def test_say_what_a_build_ended_with_that_goes_on(self) -> None:
        error = {"text": "Unexpected token", "file": "frontend/src/App.jsx", "line": 12, "at": 0.0}

        lines = explanation({**WHY, "last_error": error}, None, revealed=False)

        said = ["".join(text for text, _ in line) for line in lines]
        assert "  last build      failed: Unexpected token (frontend/src/App.jsx, line 12)" in said


class TestTheFarewell:
    def test_says_what_runs_on_and_how_to_end_it(self) -> None:
        assert farewell(stack(READY), {}).startswith("backend keeps running; `devinit stop` ends everything")

    def test_says_what_waits_and_what_is_on_its_way(self) -> None:
        views = (
            READY,
            *(View(name=f"w{number}", phase="waiting") for number in (1, 2)),
            View(name="web", phase="starting", pid=7),
            View(name="old", phase="stopping", pid=8),
        )

        said = farewell(stack(*views), {})

        assert said.startswith(
            "backend keeps running; web is being started; w1, w2 wait to be started; old is being stopped; `devinit"
        )

    @pytest.mark.parametrize("phase", ["stopping", "stopped", "starting"])
    def test_says_of_a_restart_that_it_goes_on(self, phase: str) -> None:
        said = farewell(stack(READY, View(name="web", phase=phase)), {"web": "restart"})

        assert said.startswith("backend keeps running; web is being restarted; `devinit")

    @pytest.mark.parametrize("phase", ["ready", "starting", "waiting", "backoff", "unhealthy", "stopping"])
    def test_says_of_what_was_ordered_to_stop_that_it_is_being_stopped(self, phase: str) -> None:
        """A database is stopped after its dependants: until then its phase stays the same."""
        said = farewell(stack(READY, View(name="db", phase=phase)), {"db": "stop"})

        assert said.startswith("backend keeps running; db is being stopped; `devinit stop` ends everything")

    def test_says_when_everything_is_being_stopped_how_to_start_it_again(self) -> None:
        views = (READY, View(name="web", phase="stopping"), View(name="job", phase="exited"))

        said = farewell(stack(*views), dict.fromkeys(("backend", "web", "job"), "stop"))

        assert said == "backend, web are being stopped; `devinit start` starts everything"

    def test_says_of_what_was_ordered_to_start_that_it_is_being_started(self) -> None:
        said = farewell(stack(READY, View(name="web", phase="stopped")), {"web": "start", "backend": "start"})

        assert said.startswith("backend keeps running; web is being started; `devinit stop`")

    def test_says_that_nothing_runs(self) -> None:
        assert farewell(stack(), {}).startswith("nothing runs")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3900, "1h 05m"), (187_200, "2d 4h"), (-5, "0s")],
)
def test_uptime(seconds: float, said: str) -> None:
    assert uptime(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 MB"), (88_400_000, "88 MB"), (999_600_000, "1.0 GB"), (2_340_000_000, "2.3 GB")],
)
def test_memory(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0.0%"), (9.94, "9.9%"), (9.96, "10%"), (312, "312%")])
def test_cpu(value: float, said: str) -> None:
    assert percent(value) == said


@pytest.mark.parametrize(
    ("values", "bars"), [((), ""), ((0.0,), "▁"), ((0.0, 50.0, 100.0), "▁▅█"), ((400.0, 200.0), "█▅")]
)
def test_a_sparkline_is_full_at_one_cpu_or_at_the_most_there_was(
    values: tuple[float, ...], bars: str
) -> None:
    assert sparkline(values) == bars


def test_variables_are_shown_without_their_secrets_until_the_user_asks_for_them() -> None:
    values = {
        "POSTGRES_PASSWORD": "geheim",
        "DATABASE_URL": "postgresql://u:geheim@h/db",
        "BACKEND_PORT": "8001",
    }

    hidden, revealed = (
        [text(line).split()[1] for line in environment(values, revealed=revealed)]
        for revealed in (False, True)
    )

    assert hidden == ["***", "postgresql://u:***@h/db", "8001"]
    assert revealed == list(values.values())


def test_variables_that_are_shown_in_clear_are_harmless_to_the_terminal() -> None:
    [line] = environment({"APP_KEY": "a\x1b[2Jb\u202ec"}, revealed=True)

    assert text(line).split() == ["APP_KEY", "abc"]


@pytest.mark.parametrize("columns", [36, 58, 98])
def test_a_port_of_another_project_is_one_line_that_ends_with_its_folder(columns: int) -> None:
    row: PortRow = {
        "port": 3000,
        "project": "shop",
        "service": "frontend",
        "state": "leased",
        "root": "/home/ada/work/clients/north/shop",
        "worktree": "/home/ada/work/clients/north/shop",
        "branch": "main",
    }

    [_, line] = neighbour_lines([row], "/home/ada/other", columns)

    assert width(text(line)) <= columns
    assert text(line).endswith("shop (main)") or columns == 36


def test_a_port_whose_entry_is_not_obeyed_is_shown_with_what_is_wrong_with_it() -> None:
    problem = ".ports.json says 9000, which is outside of the range of web, 8000-8099: ignored"
    row = {
        "service": "web", "port": 8000, "preferred_port": 8000, "next_port": 8000, "range": [8000, 8099],
        "strict": False, "problem": problem, "phase": "stopped", "holder": None, "holder_kind": None,
    }  # fmt: skip

    shown = text(port_table.line(row, [row], 200))

    assert "8000" in shown
    assert problem in shown


def test_a_further_port_stands_behind_the_url_of_its_service_where_there_is_room() -> None:
    view = View(
        name="api",
        phase="ready",
        port=8000,
        preferred_port=8000,
        url="http://localhost:8000",
        extra_ports="admin http://localhost:9001",
    )

    [line] = table(stack(view), 120, 0.0)[1]
    assert text(line).endswith("http://localhost:8000  admin http://localhost:9001")
    [line] = table(stack(view), 40, 0.0)[1]
    assert "admin" not in text(line)


def test_a_service_that_is_started_by_its_name_is_not_missed() -> None:
    views = (View(name="api", phase="ready", pid=1), View(name="mail", autostart=False))

    assert "1 of 1 ready" in text(headline(stack(*views), 80, LinkState.HELD))
    assert text(table(stack(*views), 80, 0.0)[1][1]).endswith("starts by its name")


def test_a_dependency_is_told_with_what_is_waited_for() -> None:
    codegen = {"name": "codegen", "phase": "starting", "condition": "completed"}
    told = [text(line) for line in dependencies({"depends_on": [codegen], "needed_by": []})]

    assert told[-1].rstrip().endswith("codegen (must have completed)")


def test_the_details_say_in_red_which_server_a_service_uses_in_the_place_of_its_own() -> None:
    lines = list(explanation({**WHY, "wrong_servers": [WRONG], "talks_to": ["redis"]}, None, revealed=False))

    assert any(
        ("to guestbook's postgres (port 5432), not to its own (5433)", "bad") in line for line in lines
    )
    assert "alembic.ini:3 names localhost:5432; nothing tells it 5433" in [
        text(line).strip() for line in lines
    ]
    assert ["talks", "to", "redis"] in [text(line).split() for line in lines]


def test_the_details_say_what_a_service_waits_for_and_how_it_is_answered() -> None:
    wait = {"prompt": "(Pdb)", "kind": "debugger", "pid": 1, "since": 1.0}

    lines = list(explanation({**WHY, "waits_for_input": wait}, None, revealed=False))

    said = [" ".join(text(line).split()) for line in lines]
    assert f"waits for input at (Pdb): `devinit attach {WHY['name']}`" in said


def test_a_further_port_is_explained_with_the_one_that_it_was_meant_to_have() -> None:
    extra = {"name": "api.admin", "port": 9002, "preferred_port": 9001, "url": "http://localhost:9002"}
    why = {"reason": None, "last_exit": None, "restarts": 0, "port": None, "command": None}

    assert dict(reasons({**why, "extra_ports": [extra]}))["other ports"] == (
        "api.admin 9002, preferred 9001  http://localhost:9002"
    )
