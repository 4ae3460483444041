"""Find the port on which a source file listens: a number, or the value of a variable. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from devinit.model.port import HIGHEST_PORT

CODE = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".py", ".rb")
LEAST_PORT = 1024
"""Smaller numbers beside `listen` are no ports."""
_OF_OTHERS = frozenset({1433, 1521, 3306, 5432, 5672, 6379, 9092, 9200, 11211, 27017})
"""Ports of databases and queues, which settings of clients name."""
_LISTENS = re.compile(
    r"(?:\.listen|\bBun\.serve|\bDeno\.serve|(?<![.\w])serve|uvicorn\.run|\bapp\.run|\bserve_forever"
    r"|\bstartStandaloneServer)[ \t]{0,9}\("
)
_READS = re.compile(
    r"(?:process\.env|Bun\.env|import\.meta\.env)(?:\.|\[[\"'])(?P<js>(?:[A-Z]\w{0,40}_)?PORT)\b[\"'\]) \t]{0,9}"
    r"(?:(?:\|\||\?\?)[ \t\"'(]{0,9}(?P<js_usual>\d{2,5}))?"
    r"|(?:os\.environ(?:\.get)?[\[(]|os\.getenv\(|ENV\.fetch\(|ENV\[)[ \t]{0,9}"
    r"[\"'](?P<py>(?:[A-Z]\w{0,40}_)?PORT)[\"'](?:[ \t]{0,9},[ \t]{0,9}[\"']?(?P<py_usual>\d{2,5}))?"
)
_NUMBER = re.compile(
    r"\.listen[ \t]{0,9}\([ \t]{0,9}(?P<first>\d{4,5})\b|\bport[ \t]{0,9}[:=][ \t]{0,9}(?P<named>\d{4,5})\b"
)
_CONSTANT = re.compile(
    r"^[ \t]{0,20}(?:(?:const|let|var)[ \t]{1,9})?(?:PORT|port)[ \t]{0,9}=[ \t]{0,9}(?P<port>\d{4,5})\b",
    re.MULTILINE,
)
FLASK_PORT = 5000
_USUAL = {"uvicorn.run": 8000, "app.run": FLASK_PORT}
"""Call → its port when neither the code nor a variable sets one."""
_COMMENT = re.compile(r"^[ \t]{0,80}(?://|#).*$", re.MULTILINE)


class Listening(Struct, frozen=True):
    """The port of a program, as its source states it."""

    port: int | None
    """None when the file does not state it."""
    variable: str | None
    """The variable that sets the port; None when none is known."""
    position: int
    """Position of the statement in the text."""

    @property
    def is_fixed(self) -> bool:
        """Whether the port is a number that no variable changes."""
        return self.port is not None and self.variable is None


def listening_in(text: str) -> Listening | None:
    """Return the port of the program in a file; None when nothing shows that it listens."""
    plain = _COMMENT.sub(lambda found: " " * len(found[0]), text)
    listens = _LISTENS.search(plain)
    if listens is None:
        return None
    for found in _READS.finditer(plain):
        usual = found["js_usual"] or found["py_usual"]
        return Listening(_port(usual), found["js"] or found["py"], found.start())
    for pattern in (_NUMBER, _CONSTANT):
        for found in pattern.finditer(plain):
            digits = next(filter(None, found.groups()), "")
            if (port := _port(digits)) is not None:
                return Listening(port, None, found.start())
    usual = next((port for call, port in _USUAL.items() if listens[0].startswith(call)), None)
    return Listening(usual if "Flask(" in plain or usual != FLASK_PORT else None, None, listens.start())


def _port(digits: str | None) -> int | None:
    if not digits or not LEAST_PORT <= int(digits) <= HIGHEST_PORT or int(digits) in _OF_OTHERS:
        return None
    return int(digits)
