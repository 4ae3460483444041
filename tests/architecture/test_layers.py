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
OUTSIDE_OF_SYSTEM = [path for path in MODULES if path.parent != PACKAGE / "system"]

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


def names_in(path: Path) -> set[str]:
    """Return every name and attribute that a module uses."""
    tree = ast.parse(path.read_text())
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def texts_in(path: Path) -> list[str]:
    """Return every text of a module that is no docstring."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
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
    @pytest.mark.parametrize("path", OUTSIDE_OF_SYSTEM, ids=name_of)
    def test_is_known_to_one_package_only(self, path: Path) -> None:
        assert not names_in(path) & LINUX_CALLS
        assert [text for text in texts_in(path) if text.startswith(LINUX_PATHS)] == []


class TestEveryModule:
    @pytest.mark.parametrize("path", MODULES, ids=name_of)
    def test_says_why_it_exists(self, path: Path) -> None:
        assert ast.get_docstring(ast.parse(path.read_text()))
