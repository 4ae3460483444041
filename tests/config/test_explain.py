from __future__ import annotations

from collections.abc import Callable

import pytest

Refused = Callable[..., str]


class TestAnUnknownKey:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[servces.a]", 'servces: unknown key (did you mean "services"?)'),
            ("[services.backend]\nprot = 1", 'services.backend.prot: unknown key (did you mean "port"?)'),
            ("[services.a.ready]\nhtpp = '/'", 'services.a.ready.htpp: unknown key (did you mean "http"?)'),
            ('[services."my api"]\nprot = 1', 'services."my api".prot: unknown key'),
            (
                "[project]\ncolour = 'red'",
                "(known keys: name, discovery_refresh, discovery_per_process, keep_ports)",
            ),
        ],
    )
    def test_is_told_with_its_way_and_the_nearest(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)


class TestAWrongType:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('port = "8000"', 'expected a whole number, got the text "8000" (write it without quotes)'),
            ("port = true", "expected a whole number, got true"),
            ("port = 80.5", "expected a whole number, got the number 80.5"),
            ("port = [1]", "expected a whole number, got a list"),
            ("command = 3", "expected a text in quotes, got the number 3"),
            ("optional = 'yes'", 'expected true or false, got the text "yes"'),
            ("ready = 'http'", 'expected a table, got the text "http"'),
            ("depends_on = 1", "expected a text in quotes or a list of texts or a table, got the number 1"),
            ("restart = 3", 'expected "on-failure" or "always" or "never" or a table, got the number 3'),
            (
                "restart = 'allways'",
                '"allways" is not one of on-failure, always, never (did you mean "always"?)',
            ),
            ("on_conflict = 'explode'", '"explode" is not one of ask, kill, move, reuse, fail'),
            ("command = 2024-01-01", "got the date 2024-01-01"),
            ("command = 10:00:00", "got the time 10:00:00"),
            (f"port = '{'x' * 99}'", f'got the text "{"x" * 40}…"'),
        ],
    )
    def test_is_told_with_what_was_expected_and_what_was_found(
        self, refused: Refused, line: str, said: str
    ) -> None:
        text = refused(f"[services.a]\n{line}")

        assert f"services.a.{line.split(maxsplit=1)[0]}: " in text
        assert said in text

    @pytest.mark.parametrize(
        ("line", "key"),
        [
            ("depends_on = ['a', 1]", "services.a.depends_on[1]"),
            ("depends_on = { db = 'complete' }", "services.a.depends_on.db"),
            ("env.VERSION = 1.5", "services.a.env.VERSION"),
            ("extra_ports.hmr = 'x'", "services.a.extra_ports.hmr"),
            ("ready.status = [200, 'x']", "services.a.ready.status[1]"),
            ("restart.mode = 'x'", "services.a.restart.mode"),
            ("ready.timeout = 'x'", "services.a.ready.timeout"),
        ],
    )
    def test_inside_a_value_is_told_where_it_is(self, refused: Refused, line: str, key: str) -> None:
        assert f"{key}: " in refused(f"[services.a]\n{line}")


class TestSeveralSlips:
    def test_are_told_together(self, refused: Refused) -> None:
        text = refused("[services.a]\nprot = 1\nport = 'x'\n[services.b]\nport = 'y'\n[projct]")

        assert "devinit.toml has 4 problems:" in text
        for key in ("services.a.prot", "services.a.port", "services.b.port", "projct"):
            assert f"\n  {key}: " in text
