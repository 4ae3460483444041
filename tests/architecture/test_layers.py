"""Specifies the house: imports point down, decisions are pure, and one place knows the operating system."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import devinit

PACKAGE = Path(devinit.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
OUTSIDE_OF_SYSTEM = [path for path in MODULES if not path.is_relative_to(PACKAGE / "system")]

LINUX_PATHS = ("/proc/", "/proc", "/sys/")
LINUX_CALLS = {
    "pidfd_open",
    "pidfd_send_signal",
    "prctl",
    "AF_NETLINK",
    "inotify_init",
    "epoll",
    "sched_setaffinity",
    "PR_SET_CHILD_SUBREAPER",
}


def linux_in(path: Path) -> list[str]:
    """Return what a module uses of Linux: names, and texts that are paths of its file systems."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    return [*sorted(names_in(nodes) & LINUX_CALLS), *filter(is_linux_path, texts_in(nodes))]


def is_linux_path(text: str) -> bool:
    return text.startswith(LINUX_PATHS)


def names_in(nodes: list[ast.AST]) -> set[str]:
    """Return every name and attribute that a module uses."""
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def texts_in(nodes: list[ast.AST]) -> list[str]:
    """Return every text of a module that is no docstring."""
    docstrings = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


class TestTheLayers:
    def test_are_kept_by_every_import(self) -> None:
        linter = Path(sys.executable).with_name("lint-imports")

        answer = subprocess.run(
            [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
        )

        assert answer.returncode == 0, answer.stdout


class TestTheOperatingSystem:
    def test_is_known_to_one_package_only(self) -> None:
        assert {name_of(path): used for path in OUTSIDE_OF_SYSTEM if (used := linux_in(path))} == {}

    @pytest.mark.parametrize("source", ["open('/proc/self/stat')", "os.pidfd_open(1)", "prctl(1)"])
    def test_is_found_where_a_module_uses_it(self, tmp_path: Path, source: str) -> None:
        module = tmp_path / "module.py"
        module.write_text(source)

        assert linux_in(module)


class TestEveryModule:
    def test_says_why_it_exists(self) -> None:
        assert [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))] == []
