"""Specifies what a person sees and is asked at a terminal."""

from __future__ import annotations

import re

import pexpect

from tests.cli.conftest import Shop, code_of


def seen(child: pexpect.spawn[str]) -> str:
    """Return everything up to the end that was not expected before."""
    child.expect(pexpect.EOF)
    return child.before or ""


class TestAStart:
    def test_shows_what_is_waited_for_and_for_how_long_then_the_table(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.service("worker", depends_on=["backend"], ready={"after": 0.6})

        child = shop.terminal("start", "-d")

        child.expect(r"worker [^\r\n]*?starting [0-9]+ ms")
        child.expect("SERVICE +PORT +PREFERRED")
        child.expect(r"✓[^\r\n]*?backend +" + str(port))
        child.expect(r"2 of 2 services ready in [\d.]+ m?s")
        child.expect("`devinit stop` ends everything")
        assert code_of(child) == 0

    def test_of_something_that_fails_says_why_below_the_table(self, shop: Shop, port: int) -> None:
        shop.service("backend", "lines=3", "exit=3", port=port, restart="never")

        child = shop.terminal("start", "-d")

        child.expect(r"✗[^\r\n]*?backend[^\r\n]*?failed")
        child.expect("0 of 1 service ready")
        child.expect(r"backend failed:[^\r\n]*? exited with code 3")
        child.expect(r"\|[^\r\n]*? line 3")
        assert code_of(child) == 1

    def test_without_colours_has_symbols(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        child = shop.terminal("start", "-d", NO_COLOR="1")

        text = seen(child)
        assert "✓  backend" in text
        # What is left moves the cursor and erases; nothing is painted.
        assert not re.search(r"\x1b\[[\d;]*m", text)

    def test_on_a_dumb_terminal_has_no_escape_sequences(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        child = shop.terminal("start", "-d", TERM="dumb")

        text = seen(child)
        assert "\x1b" not in text
        assert "✓ backend" in text

    def test_that_is_interrupted_is_taken_back(self, shop: Shop, port: int) -> None:
        shop.service("before", port=port)
        shop.service("backend", port=port + 1)
        shop.service("slow", "never", port=port + 2, depends_on=["backend"])
        shop("start", "before")

        child = shop.terminal("start", "-d")
        child.expect(r"slow [^\r\n]*?starting")
        child.sendintr()

        child.expect("interrupted: stopping what this start brought up")
        assert code_of(child) == 130
        phases = {name: service["phase"] for name, service in shop.status().items()}
        assert phases == {"before": "ready", "backend": "stopped", "slow": "stopped"}


class TestFollowingLogs:
    def test_goes_on_over_a_restart_until_control_c(self, shop: Shop, port: int) -> None:
        shop.service("backend", "lines=2", port=port)
        shop("start")

        child = shop.terminal("logs", "-f")
        child.expect("line 2")
        shop("restart")
        child.expect("--- devinit: backend starts")
        child.expect("line 2")
        child.sendintr()

        assert "Traceback" not in seen(child)
        assert code_of(child) == 130

    def test_begins_with_a_service_that_has_printed_nothing_yet(self, shop: Shop, port: int) -> None:
        shop.service("backend", "lines=1", port=port)

        # Asked to show an older line as well, so that the test knows when it follows.
        shop.service("older", port=port + 1)
        shop.log("older").write_text("older line\n")
        child = shop.terminal("logs", "-f")
        child.expect("older line")
        shop("start")

        child.expect("line 1")
        child.sendintr()
        assert code_of(child) == 130

    def test_passes_colours_on_and_nothing_else(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop.log("backend").write_text("\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07after\n")

        child = shop.terminal("logs", "backend")

        text = seen(child)
        assert "\x1b[31mred\x1b[0m after\x1b[0m" in text
        assert "\x1b[2J" not in text
        assert "title" not in text


class TestStatus:
    def test_of_what_rests_says_how_to_start_it(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        child = shop.terminal("status")

        child.expect(r"Backend \(port \d+\): [^\r\n]*?✗[^\r\n]*? Not running")
        child.expect("`devinit start` starts everything")
        assert code_of(child) == 0
