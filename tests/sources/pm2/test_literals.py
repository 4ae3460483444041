"""Specifies what of a JavaScript file is read without running it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.pm2.literals import MOST_APPLICATIONS, applications


def read(text: str) -> list[dict[str, Any]]:
    return [described for described, _ in applications(text)]


class TestALiteral:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("module.exports = { apps: [{ name: 'web', instances: 2 }] }", [{"name": "web", "instances": 2}]),
            ('{"apps": [{"name": "web", "args": ["a", "b"]}]}', [{"name": "web", "args": ["a", "b"]}]),
            (
                (
                    "const x = 1 // apps\nexport default { apps : [\n // one\n {name: `a`, /* two */ env: {PORT: 1, "
                    "...x},},{ name: 'b' } ] }"
                ),
                [{"name": "a", "env": {"PORT": 1}}, {"name": "b"}],
            ),
            (
                "apps: [{ name: 'a', cwd: path.join(__dirname, 'x'), env: { A: process.env.A || 'b' }, script: 'y' }]",
                [{"name": "a", "cwd": None, "env": {"A": None}, "script": "y"}],
            ),
            ("apps: [{ name: 'a' + b, script: `x/${y}` }]", [{"name": None, "script": None}]),
            ("apps: [...shared, web(), { name: 'it\\'s' }]", [{"name": "it's"}]),
            ("apps: [{ name: 'a' }", [{"name": "a"}]),
            ("apps: []", []),
            ("apps: list", []),
            ("", []),
        ],
    )
    def test_is_read_and_what_is_computed_is_unknown(self, text: str, found: list[dict[str, Any]]) -> None:
        assert read(text) == found

    def test_is_one_of_many_at_most(self) -> None:
        assert len(read("apps: [" + "{}," * 1000)) == MOST_APPLICATIONS

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize(
        "repeated", ["{", "[", "{a:", "'", "`", "/*", "//", "(", ")", "a", ",", "{}", "}", "]", ":"]
    )
    def test_of_nonsense_ends_at_once(self, repeated: str) -> None:
        read("apps: [{" + repeated * 100_000)

    @given(text=st.text(alphabet="{}[]()'\"`,:;/*\\ \na1.$", max_size=60))
    def test_of_any_text_is_some(self, text: str) -> None:
        assert all(isinstance(each, dict) for each in read(f"apps: [{text}"))
