"""Specifies which lines are one traceback, in the languages that services are written in."""

from __future__ import annotations

import pytest

from devinit.logs.tracebacks import Join, Tracebacks

PYTHON = """before
Traceback (most recent call last):
  File "app.py", line 3, in f
    pay()

ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 5, in g
RuntimeError: still no
after"""
NODE = """before
Error: no
    at pay (pay.js:1:2)
    at main (main.js:3:4) {
  code: 'ENO'
}
after"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no
\tat shop.App.main(App.java:3)
Caused by: java.io.IOException: why
\tat shop.App.pay(App.java:9)
\t... 1 more
after"""
RUBY = """app.rb:1:in 'pay': no (RuntimeError)
\tfrom app.rb:5:in 'main'
after"""
GO = """before
panic: no

goroutine 1 [running]:
main.main()
\t/app/main.go:5 +0x1d
exit status 2
after"""
LETTERS = {
    Join.NOTHING: "-",
    Join.BEGINS: "B",
    Join.GOES_ON: "g",
    Join.SAYS_IT: "S",
    Join.WITH_THE_ONE_BEFORE: "W",
}


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        (PYTHON, "-BgggSgggggS-"),
        (NODE, "--Wggg-"),
        (JAVA, "-Wggg-"),
        (RUBY, "-W-"),
        (GO, "-Bggggg-"),
        ("a list:\n  at home\n  from here", "-Wg"),
        ("usage:\n  -p PORT\nnext", "---"),
    ],
)
def test_lines_of_a_traceback_belong_together(text: str, joined: str) -> None:
    tracebacks = Tracebacks()

    assert "".join(LETTERS[tracebacks.next("web", line)] for line in text.splitlines()) == joined


def test_services_are_told_apart_and_a_new_run_ends_a_traceback() -> None:
    tracebacks = Tracebacks()
    tracebacks.next("web", "Traceback (most recent call last):")

    assert tracebacks.next("worker", "  File") is Join.NOTHING
    assert tracebacks.next("web", "--- devinit: web starts on port 8000 ---") is Join.NOTHING
    assert tracebacks.next("web", "ValueError: no") is Join.NOTHING
