"""Specifies which lines `logs` shows, and how, into a pipe."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of

if TYPE_CHECKING:
    from tests.cli.conftest import Shop


@pytest.fixture
def logged(shop: Shop, port: int) -> Shop:
    """A project of which two services have printed something."""
    shop.service("backend", port=port)
    shop.service("web", port=port + 1)
    shop.service("silent", port=port + 2)
    shop.log("backend").write_text("".join(f"request {number}\n" for number in range(200)))
    shop.log("web").write_text("\x1b[32mcompiled\x1b[0m\nERROR here\n")
    return shop


class TestLines:
    def test_are_the_last_hundred_of_each_with_the_name_before_them(self, logged: Shop) -> None:
        lines = logged("logs").stdout.splitlines()

        assert len(lines) == 102
        assert lines[0] == "backend | request 100"
        assert lines[-1] == "web     | ERROR here"

    def test_of_one_service_have_no_name_before_them(self, logged: Shop) -> None:
        assert logged("logs", "web").stdout == "compiled\nERROR here\n"

    def test_are_as_many_as_asked_for(self, logged: Shop) -> None:
        assert logged("logs", "backend", "-n", "2").stdout == "request 198\nrequest 199\n"
        assert logged("logs", "backend", "-n", "0").stdout == ""

    def test_hide_the_end_of_a_private_key_that_is_searched_for(self, logged: Shop) -> None:
        body = f"{'hunter2Ab1+' * 6}"[:64]
        logged.log("web").write_text(
            f"-----BEGIN PRIVATE KEY-----\n{body}\nZd9T\n-----END PRIVATE KEY-----\n"
        )

        assert logged("logs", "web", "--grep", "^....$").stdout == ""
        assert logged("logs", "web", "-n", "2").stdout == "***\n-----END PRIVATE KEY-----\n"

    def test_can_be_searched_and_the_last_matches_count(self, logged: Shop) -> None:
        assert (
            logged("logs", "--grep", "request 1.$|ERR", "-n", "1").stdout
            == "backend | request 19\nweb     | ERROR here\n"
        )

    def test_are_searched_as_they_are_seen(self, logged: Shop) -> None:
        assert logged("logs", "web", "--grep", "^compiled$").stdout == "compiled\n"

    @pytest.mark.timeout(120)
    def test_are_not_searched_for_ever(self, logged: Shop) -> None:
        logged.log("web").write_text("a" * 60 + "!\n")

        done = logged("logs", "web", "--grep", "(a+)+$")

        assert (done.returncode, done.stdout) == (2, "")
        assert "--grep: the regular expression '(a+)+$' takes longer than 0.5 s: rewrite it" in done.stderr

    def test_that_do_not_match_are_no_failure(self, logged: Shop) -> None:
        done = logged("logs", "--grep", "nothing like this")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "no line matches\n")

    def test_are_objects_for_a_program(self, logged: Shop) -> None:
        lines = [json.loads(line) for line in logged("logs", "web", "--json").stdout.splitlines()]

        assert [(line["service"], line["line"]) for line in lines] == [
            ("web", "compiled"),
            ("web", "ERROR here"),
        ]

    def test_that_were_written_over_show_their_last_state(self, logged: Shop) -> None:
        logged.log("web").write_bytes(b"10%\r20%\r100%\r\nnul \0 and \xff bad\n")

        assert logged("logs", "web").stdout == "100%\nnul  and \ufffd bad\n"

    def test_of_a_megabyte_are_cut_and_say_so(self, logged: Shop) -> None:
        logged.log("web").write_text("x" * 1_000_000 + "\nnext\n")

        whole = logged("logs", "web", "--max-bytes", "0").stdout
        assert whole == "x" * 65_536 + "… [934,464 more bytes in the log file]\nnext\n"

    def test_of_a_service_that_printed_nothing_are_none(self, logged: Shop) -> None:
        done = logged("logs", "silent")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing has been printed yet\n")

    def test_are_those_of_services_only(self, logged: Shop) -> None:
        done = logged("logs", "../supervisor")

        assert done.returncode == 2

    def test_cannot_be_searched_with_what_is_no_pattern(self, logged: Shop) -> None:
        done = logged("logs", "--grep", "GET (/api|/docs")

        assert done.returncode == 2
        assert done.stderr.splitlines()[:3] == [
            "error: --grep is not a regular expression: missing ), unterminated subpattern",
            "  GET (/api|/docs",
            "      ^ here; a \\ before a character takes it as it is",
        ]


class TestSeveralServices:
    @pytest.fixture
    def timed(self, logged: Shop) -> Shop:
        """Two services whose lines were printed at known times: 10 bytes a second."""
        noon = datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp()
        for name, first in (("backend", 0.0), ("web", 0.5)):
            log = logged.log(name)
            log.write_text("".join(f"{name[0]} line {number}\n" for number in range(1, 4)).ljust(27))
            inode = log.stat().st_ino
            log.with_suffix(".times").write_text(
                f"{inode} 0 {noon + first} run\n{inode} 27 {noon + first + 2.7}\n"
            )
            os.utime(log, (noon + first + 2.7,) * 2)
        return logged

    def test_are_shown_in_the_order_of_time(self, timed: Shop) -> None:
        assert timed("logs").stdout.splitlines() == [
            "backend | b line 1",
            "web     | w line 1",
            "backend | b line 2",
            "web     | w line 2",
            "backend | b line 3",
            "web     | w line 3",
        ]

    def test_tell_a_program_when_and_in_which_run_each_line_was_printed(self, timed: Shop) -> None:
        first, second, *_ = (json.loads(line) for line in timed("logs", "--json").stdout.splitlines())

        assert first == {
            "service": "backend",
            "time": "2026-11-02T12:00:00.900Z",
            "run": "2026-11-02T12:00:00.000Z",
            "level": "info",
            "line": "b line 1",
        }
        assert second["time"] == "2026-11-02T12:00:01.400Z"

    def test_can_be_shown_since_a_time(self, timed: Shop) -> None:
        shown = timed("logs", "--since", "2026-11-02T12:00:02.500Z").stdout

        assert shown.splitlines() == ["backend | b line 3", "web     | w line 3"]

    def test_can_be_shown_with_their_times(self, timed: Shop) -> None:
        first = timed("logs", "-t", "backend", TZ="UTC").stdout.splitlines()[0]

        assert first == "2026-11-02 12:00:00.900 b line 1"

    def test_since_a_time_after_the_last_line_are_said_to_have_printed_nothing(self, timed: Shop) -> None:
        done = timed("logs", "--since", "5m")

        assert (done.stdout, done.stderr) == ("", "nothing has been printed since 5m\n")

    def test_since_what_is_no_time_is_a_mistake(self, timed: Shop) -> None:
        done = timed("logs", "--since", "yesterday")

        assert done.returncode == 2
        assert "--since 'yesterday' is not a time\n  write it like 5m" in done.stderr


class TestALogThatWasDeleted:
    @pytest.mark.parametrize("words", [(), ("backend",)])
    def test_is_told_with_what_begins_a_new_one(self, shop: Shop, port: int, words: tuple[str, ...]) -> None:
        shop.service("backend", port=port)
        shop("start", "-d")
        shutil.rmtree(state_of(shop.root))

        done = shop("logs", *words)

        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == (
            "the logs of backend were deleted while they run, and what they print is lost\n"
            "`devinit restart backend` begins new ones\n"
        )


class TestAServiceThatLeftTheConfiguration:
    def test_is_shown_only_by_its_name(self, logged: Shop) -> None:
        logged.log("old").write_text("long ago\n")

        assert "long ago" not in logged("logs").stdout
        assert logged("logs", "old").stdout == "long ago\n"

    def test_is_shown_while_it_runs(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        only_backend = (shop.root / "devinit.toml").read_text()
        shop.service("old", ready={"after": 0.1})
        shop("start", "-d")
        (shop.root / "devinit.toml").write_text(only_backend)

        assert "old     | --- devinit: old starts" in shop("logs").stdout

    def test_is_shown_while_nobody_can_say_who_is_configured(self, logged: Shop) -> None:
        logged.log("old").write_text("long ago\n")
        (logged.root / "devinit.toml").write_text("[services")

        done = logged("logs")

        assert "long ago" in done.stdout
        assert "only services that have printed something are shown" in done.stderr


class TestSecrets:
    @pytest.fixture
    def secretive(self, logged: Shop) -> Shop:
        (logged.root / ".env.runtime").write_text("API_TOKEN=tk-9f8e7d6c\n")
        logged.log("web").write_text("postgresql://shop:pw@127.0.0.1/shop\nBearer tk-9f8e7d6c\n")
        return logged

    def test_are_hidden_from_people_and_programs_and_stay_in_the_file(self, secretive: Shop) -> None:
        assert secretive("logs", "web").stdout == "postgresql://shop:***@127.0.0.1/shop\nBearer ***\n"
        assert "tk-9f8e7d6c" not in secretive("logs", "web", "--json").stdout
        assert "tk-9f8e7d6c" in secretive.log("web").read_text()

    def test_of_tools_and_of_private_keys_are_hidden_line_by_line(self, logged: Shop) -> None:
        lines = [
            *("aws configure set aws_secret_access_key hunter2", "//registry.npmjs.org/:_authToken=hunter2"),
            *("_auth=hunter2", "docker login -u ada -p hunter2 registry", "curl -fsSLu ada:hunter2 http://x"),
            *("curl -b session=hunter2 http://x", "git clone https://ada:hunter2@github.com/a/b"),
            *("using github_pat_11ABCDEFG0hunter2hunter2hunter2", f"sent ghp_{'hunter2' * 5}"),
            *("refused: sk-proj-hunter2hunter2hunter2", "Proxy-Authorization: Basic hunter2"),
            *("Set-Cookie: sid=hunter2; Path=/", "{ cookie: 'sid=hunter2' }", "az login -u app -p hunter2"),
            *("kubectl --token=hunter2 get pods", '{"name":"DB_PASSWORD","value":"hunter2"}'),
            *(
                "machine github.com login ada password hunter2",
                "https://hooks.slack.com/services/T/B/hunter2",
            ),
            *("-----BEGIN PRIVATE KEY-----", f"hunter2{'Ab1+' * 14}x", "-----END PRIVATE KEY-----"),
        ]
        logged.log("web").write_text("\n".join(lines) + "\n")

        shown = [logged("logs", "web").stdout, logged("logs").stdout, logged("logs", "web", "--json").stdout]

        assert [text.count("***") for text in shown] == [len(lines) - 2] * 3
        assert not [text for text in shown if "hunter2" in text]

    def test_cannot_be_searched_for(self, secretive: Shop) -> None:
        assert secretive("logs", "--grep", "9f8e").stdout == ""


class TestFollowing:
    def test_of_a_flood_ends_with_the_reader(self, logged: Shop) -> None:
        logged.log("web").write_text("".join(f"line {number}\n" for number in range(1_000_000)))

        done = logged.sh("devinit logs web --since 1d -f | head -3; exit ${PIPESTATUS[0]}")

        assert (done.stdout, done.returncode) == ("line 0\nline 1\nline 2\n", 141)

    def test_ends_when_the_reader_has_gone(self, logged: Shop) -> None:
        done = logged.sh("devinit logs backend -f -n 3 | grep -m1 'request 198'; exit ${PIPESTATUS[0]}")

        # Although nothing is printed any more.
        assert (done.stdout, done.stderr, done.returncode) == ("request 198\n", "", 141)


class TestWithoutATerminal:
    def test_no_more_is_printed_than_a_program_takes_in(self, logged: Shop) -> None:
        logged.log("backend").write_text("".join(f"{number} {'x' * 50_000}\n" for number in range(200)))

        done = logged("logs", "backend", "-n", "200")

        first, *lines = done.stdout.splitlines()
        assert len(done.stdout.encode()) < 64 * 1024 + 200
        assert (
            first == f"--- devinit: {200 - len(lines)} lines are left out before this: --max-bytes 65536 ---"
        )
        assert lines[-1].startswith("199 xxx")
        assert lines[-1].endswith("xxx… [48,004 more characters]")

    def test_a_program_sees_what_is_truncated(self, logged: Shop) -> None:
        logged.log("web").write_text(f"{'x' * 3000}\n" + "short\n" * 100)

        done = logged("logs", "web", "-n", "200", "--json", "--max-bytes", "3000")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        whole = [
            json.loads(line) for line in logged("logs", "web", "--json", "-n", "200").stdout.splitlines()
        ]

        assert (lines[0]["service"], lines[0]["truncated"]) == (None, True)
        assert "truncated" not in lines[-1]
        assert (whole[0]["truncated"], len(whole[0]["line"])) == (
            True,
            2000 + len("… [1,000 more characters]"),
        )

    def test_everything_is_printed_that_was_asked_for(self, logged: Shop) -> None:
        logged.log("web").write_text(f"{'x' * 40_000}\n" * 5)

        assert len(logged("logs", "web", "--max-bytes", "0").stdout) == 5 * 40_001
