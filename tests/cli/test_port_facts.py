"""Specifies what a person is told about a taken port, at every width."""

from __future__ import annotations

import io
from typing import Any

import pytest

from devinit.cli.output import Paint
from devinit.cli.port_facts import facts_of, folded, heading
from devinit.model.port import VerdictKind
from devinit.model.port_words import VERDICTS, short
from devinit.text import width
from tests.cli.taken import conflict, holder, listener, report

PAINT = Paint(io.StringIO())
ANCESTORS = [{"pid": pid, "title": title} for pid, title in ((40, "npm run dev"), (30, "zsh"), (20, "tmux"))]
EVERYTHING = conflict(
    holder(
        "/opt/node/bin/node",
        "/srv/shop/web/node_modules/.bin/next",
        "dev",
        "--port",
        "8000",
        stopped=True,
        worktree="/srv/shop",
        branch="login",
        ancestors=[*ANCESTORS, {"pid": 10, "title": "sshd"}],
        manager={"kind": "pm2", "name": "web", "pid": 33, "stop_command": "pm2 stop web"},
    ),
    holder("node", "worker.js", pid=4243, parent_pid=4242),
    listeners=[listener("127.0.0.1"), listener("::1")],
    clients=2,
    container={
        "engine": "docker",
        "id": "1f",
        "name": "shop-web-1",
        "image": "shop:dev",
        "compose_project": "shop",
        "compose_service": "web",
    },
    owner={"root": "/srv/shop", "project": "shop", "service": "web", "pid": 9, "at": 0.0},
    advice="ask first",
    changes=["BACKEND_URL in .env.runtime", "CORS_ORIGINS"],
    problem="it did not end",
)


def facts(found: dict[str, Any], columns: int | None = 80, *, in_full: bool = False) -> list[str]:
    return facts_of(found, PAINT, columns, in_full=in_full)


LISTENERS = [
    (listener("0.0.0.0"), "all addresses (IPv4)"),
    (listener("::", dual_stack=True), "all addresses (IPv4 and IPv6)"),
    (listener("::", dual_stack=False), "all addresses (IPv6 only)"),
    (listener("::", dual_stack=None), "all addresses (IPv6)"),
    (listener("::1"), "[::1]"),
]


class TestTheHeading:
    def test_names_the_port_who_wants_it_and_who_has_it(self) -> None:
        assert heading(conflict(), PAINT, 80) == [
            "Port 8000, which backend wants, is held by vite (pid 4242)."
        ]

    def test_names_nobody_where_nobody_wants_it(self) -> None:
        assert heading(report(), PAINT, None) == ["Port 8000 is held by vite (pid 4242)."]


class TestTheFacts:
    @pytest.mark.parametrize(("listening", "text"), LISTENERS)
    def test_say_which_families_are_served(self, listening: dict[str, Any], text: str) -> None:
        assert f"  listens on  {text}" in facts(report(holder("node"), listeners=[listening]))

    def test_say_everything_that_is_known_of_the_process_that_counts(self) -> None:
        assert facts(EVERYTHING) == [
            "  It did not end.",
            "",
            "  command     node /srv/shop/web/node_modules/.bin/next dev --port 8000",
            "  process     4242 of user ann, for 90.0 s, stopped (Ctrl-Z)",
            "  folder      /srv/shop/web",
            "  checkout    /srv/shop (branch login)",
            "  started by  npm run dev (40) < zsh (30) < tmux (20) < …",
            "  kept up by  pm2 (pid 33), as web",
            "  ended with  `pm2 stop web`",
            "  as well as  pid 4243",
            "  listens on  127.0.0.1 and [::1], 2 clients connected",
            "  container   shop-web-1 of docker, image shop:dev, web of the Compose project",
            "              shop",
            "  service     web of shop, /srv/shop",
            "",
            "  It is a process of yours that devinit did not start.",
            "  Ask first.",
            "  Moving to 8001 changes BACKEND_URL in .env.runtime; CORS_ORIGINS.",
        ]

    def test_say_of_every_process_everything_when_that_is_wanted(self) -> None:
        text = "\n".join(facts(EVERYTHING, in_full=True))

        assert "/opt/node/bin/node /srv" in text
        assert "node worker.js" in text
        assert "tmux (20) < sshd (10)" in text

    def test_cut_what_started_it_unless_everything_is_wanted(self) -> None:
        found = report(holder("vite", ancestors=[{"pid": 40, "title": "/opt/node " + "x" * 40}]))

        assert f"  started by  node {'x' * 18}… (40)" in facts(found)
        assert f"  started by  /opt/node {'x' * 40} (40)" in facts(found, in_full=True)

    def test_show_a_parent_before_its_workers(self) -> None:
        worker, parent = holder("worker", pid=7, parent_pid=6), holder("parent", pid=6)

        assert facts(report(worker, parent))[1] == "  command     parent"

    def test_of_a_port_that_nobody_holds_are_the_verdict_and_what_to_do(self) -> None:
        found = report(kind="connection", advice="wait for it, or choose another port")

        assert facts(found) == [
            "",
            "  No process listens on it: a connection uses it, or was closed a moment ago.",
            "  Wait for it, or choose another port.",
        ]

    def test_say_why_a_server_that_runs_there_cannot_be_used(self) -> None:
        found = conflict(reuse="PostgreSQL answers, but role shop cannot log in")

        assert facts(found)[-1] == ("  It cannot be used: PostgreSQL answers, but role shop cannot log in.")

    def test_leave_to_the_choice_what_a_server_is_that_can_be_used(self) -> None:
        found = conflict(reuse="PostgreSQL 15.18, database shop", choices=["move", "reuse", "abort"])

        assert "PostgreSQL" not in " ".join(facts(found))

    def test_leave_the_name_of_a_manager_as_it_is(self) -> None:
        manager = {"kind": "pm2", "name": "web", "pid": 3, "stop_command": "pm2 stop web"}

        found = report(holder("node", manager=manager), advice="pm2 would start it again")

        assert facts(found)[-1] == "  pm2 would start it again."

    def test_leave_the_name_of_a_service_as_it_is(self) -> None:
        owner = {"root": "/srv/shop", "project": "shop", "service": "web", "pid": 9, "at": 0.0}

        assert facts(report(owner=owner, advice="web of shop runs on it"))[-1] == "  web of shop runs on it."

    def test_cannot_command_the_terminal(self) -> None:
        hostile = holder("sh", "\x1b[2J\nrm", directory="/tmp/\x1b]0;x\x07", branch="\x9b2J", worktree="/\r")

        assert not {"\x1b", "\x07", "\x9b", "\r"} & set("".join(facts(report(hostile), in_full=True)))

    @pytest.mark.parametrize("kind", VerdictKind)
    def test_have_words_for_every_verdict(self, kind: VerdictKind) -> None:
        assert VERDICTS[kind.value]

    def test_do_not_choke_on_a_verdict_of_a_newer_supervisor(self) -> None:
        assert facts(report(kind="haunted")) == []


class TestANarrowTerminal:
    def test_has_names_before_the_facts_and_no_line_that_is_too_long(self) -> None:
        lines = facts(EVERYTHING, 40, in_full=True)

        assert max(map(width, lines)) < 40
        assert lines[2:8] == [
            "  command: /opt/node/bin/node",
            "    /srv/shop/web/node_modules/.bin/nex",
            "    t dev --port 8000",
            "  process: 4242 of user ann, for 90.0",
            "    s, stopped (Ctrl-Z)",
            "  folder: /srv/shop/web",
        ]

    def test_gets_one_line_of_a_command_at_first(self) -> None:
        assert facts(report(holder("x" * 200)), 40)[1] == "  command: " + "x" * 27 + "…"

    @pytest.mark.parametrize("columns", [20, 33, 40, 59, 60, 80, 200])
    def test_loses_no_word(self, columns: int) -> None:
        text = "ein Wort, 二つ目 and averyverylongwordthatfitsnowhereatallifitmust"

        lines = folded(text, columns, 4)

        assert max(map(width, lines)) < max(columns - 4, 11)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


class TestAPath:
    def test_below_the_home_folder_is_shown_as_one_types_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/ann")

        assert [short(path) for path in ("/home/ann", "/home/ann/shop", "/home/anna/shop", "/srv")] == [
            "~",
            "~/shop",
            "/home/anna/shop",
            "/srv",
        ]
