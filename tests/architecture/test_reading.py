"""A checkout can hold a named pipe, a device or a link under any name: its files are read in one way.

`system.files` never waits for the other end of a pipe and reads only regular files.
"""

from __future__ import annotations

import ast
from pathlib import Path

import devinit

PACKAGE = Path(devinit.__file__).parent
READING = {"read_text", "read_bytes", "open"}
OTHERWISE = {
    "system/files.py": "is that way",
    "system/checkout.py": "opens relative to a descriptor of `.devinit`, without following links",
    "system/sockets.py": "/proc",
    "system/spawning.py": "reads the first line of a program that could be executed but for its interpreter",
    "config/detect/finding.py": "asks before whether it is a regular file, and reads a bounded part of it",
    "logs/tail.py": "logs, in the user's state directory",
    "supervisor/log_bounds.py": "as above",
    "supervisor/log_keeper.py": "as above",
    "supervisor/logs.py": "as above",
    "control/obstacles.py": "as above",
    "providers/postgres/cluster.py": "data, in the user's state directory",
    "providers/postgres/intact.py": "as above",
    "providers/redis/intact.py": "as above",
    "providers/redis/provider.py": "as above",
    "dashboard/web/server.py": "a page of this package",
    "cli/main.py": "standard streams, by number",
}


def readers_in(path: Path) -> list[int]:
    """Return the lines in which a module opens a file by its name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            found.append(node.lineno)
        if isinstance(function, ast.Attribute) and function.attr in READING:
            of = ast.unparse(function.value)
            # `os.open` has its flags beside it; `Process.open`, `webbrowser.open` and `stage.logs.open` are others.
            if (
                of not in ("os", "webbrowser")
                and not (of.isidentifier() and of[0].isupper())
                and not of.endswith("logs")
            ):
                found.append(node.lineno)
    return found


class TestAFileOfACheckout:
    def test_is_read_through_system_files_alone(self) -> None:
        found = {
            str(path.relative_to(PACKAGE)): lines
            for path in PACKAGE.rglob("*.py")
            if (lines := readers_in(path)) and str(path.relative_to(PACKAGE)) not in OTHERWISE
        }

        assert found == {}

    def test_has_no_exception_that_is_not_needed(self) -> None:
        assert [name for name in OTHERWISE if not readers_in(PACKAGE / name)] == []
