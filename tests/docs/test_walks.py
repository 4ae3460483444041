"""Specifies that the walks in docs/architecture.md lead through code that there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import devinit

PACKAGE = Path(devinit.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text()
WALKS = ("`devinit start all`, as a straight line", "One port", "One log line", "One error")


def section(title: str) -> str:
    """Return the text below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def names() -> set[str]:
    """Return the classes, the functions and the methods (`Class.method`) of the package, and what modules assign."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            match node:
                case ast.ClassDef(name=name, body=body):
                    inside = (
                        each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                    )
                    found |= {name, *(f"{name}.{each.name}" for each in inside)}
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
    return found


def is_there(name: str) -> bool:
    """Tell whether `supervisor.readiness` is a module or folder, or `config.load.load` a name in a module."""
    folder = PACKAGE / name.replace(".", "/")
    above, _, last = name.rpartition(".")
    module = PACKAGE / f"{above.replace('.', '/')}.py"
    return (
        folder.is_dir()
        or folder.with_suffix(".py").is_file()
        or (
            module.is_file()
            and re.search(rf"^(?:async )?(?:def|class) {last}\b", module.read_text(), re.MULTILINE)
            is not None
        )
    )


@pytest.mark.parametrize("title", WALKS)
def test_a_walk_is_there(title: str) -> None:
    assert section(title).count("\n1. ") == 1


def test_a_walk_names_files_that_there_are() -> None:
    text = "".join(map(section, WALKS))
    files = {each for each in re.findall(r"`([\w/]+(?:\.py|/))`", text) if "/" in each}
    missing = {each for each in files if not (PACKAGE / each).exists() and not each.startswith("leases/")}
    # One that follows another of the same package may begin with the folder in it.
    missing = {each for each in missing if not (PACKAGE / "supervisor" / each).exists()}

    assert len(files) > 15
    assert missing == set()


def test_a_walk_names_classes_and_methods_that_there_are() -> None:
    text, known = "".join(map(section, WALKS[1:])), names()
    classes = set(re.findall(r"`([A-Z][a-z]\w+(?:\.\w+)?)`", text))
    dotted = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text)) - {"backend.times", "devinit.toml"}

    assert len(classes) > 25
    assert classes - known == set()
    assert {each for each in dotted if not is_there(each) and each.rpartition(".")[2] not in known} == set()
