"""Specifies what in a line is taken for a page or for a place in a file."""

from __future__ import annotations

import pytest

from devinit.logs.links import Link, links_in


def told(text: str) -> list[str]:
    return [link.url or f"{link.path}|{link.line}|{link.column}" for link in links_in(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://127.0.0.1:8000/docs.", ["http://127.0.0.1:8000/docs"]),
        ("(https://en.wikipedia.org/wiki/A_(b))", ["https://en.wikipedia.org/wiki/A_(b)"]),
        ("[docs](https://a.b/c), then", ["https://a.b/c"]),
        ("  ➜  Local:   http://localhost:3000/", ["http://localhost:3000/"]),
        ('  File "/shop/app.py", line 13, in pay', ["/shop/app.py|13|0"]),
        ("src/a.ts:4:2 - error TS2304", ["src/a.ts|4|2"]),
        ("src/a.ts(4,2): error TS2304", ["src/a.ts|4|2"]),
        ("    at pay (/shop/pay.js:1:2)", ["/shop/pay.js|1|2"]),
        ("    at file:///shop/pay.mjs:1:2", ["/shop/pay.mjs|1|2"]),
        ("\t/shop/main.go:5 +0x1d", ["/shop/main.go|5|0"]),
        ("app.rb:1:in 'pay': no (RuntimeError)", ["app.rb|1|0"]),
        ("app/page.tsx:3 http://a.b/", ["app/page.tsx|3|0", "http://a.b/"]),
        ("12:03:04 listening on 127.0.0.1:8000", []),
        ("http://127.0.0.1:8000/a.js:4:2", ["http://127.0.0.1:8000/a.js:4:2"]),
        ("version 1.2.3:4", []),
        ("nothing", []),
    ],
)
def test_a_line_leads_there(text: str, expected: list[str]) -> None:
    assert told(text) == expected


def test_a_link_knows_where_it_stands() -> None:
    assert links_in("go to http://a.b/ now") == [Link(6, 17, url="http://a.b/")]
