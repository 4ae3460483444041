"""Report folders with programs that devinit does not recognise, with the configuration that starts them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from devinit.model.names import EXPORT_MARK
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import at
from devinit.sources.unreadable import problem_of

_MOST = 8
_MARKERS: dict[str, tuple[str, re.Pattern[str] | None]] = {
    "go.mod": ("Go", None),
    "Cargo.toml": ("Rust", re.compile(r"^\[\[bin\]\]|^\[package\]", re.MULTILINE)),
    "Gemfile": ("Ruby", None),
    "composer.json": ("PHP", None),
    "mix.exs": ("Elixir", None),
    "pom.xml": ("Java", None),
    "build.gradle": ("Java", None),
    "build.gradle.kts": ("Kotlin", None),
    "deno.json": ("Deno", None),
    "Package.swift": ("Swift", None),
    "rxconfig.py": ("Reflex", None),
}
"""File → language of its program, and a pattern that it must match."""
_SOURCES = (
    ".go",
    ".rs",
    ".rb",
    ".php",
    ".ex",
    ".java",
    ".kt",
    ".py",
    ".ts",
    ".js",
    ".cs",
    ".swift",
    ".cr",
    ".scala",
)
_LIBRARIES = frozenset(
    {"packages", "libs", "lib", "crates", "pkg", "tooling", "infra", "infrastructure", "deploy", "ci"}
)


def notes_about(tree: Tree, folders: Iterable[str]) -> Iterator[str]:
    """Yield a note for each folder that looks like a program; `folders` are those of the programs found."""
    known = set(folders)
    named: list[str] = []
    for folder in tree.folders:
        if len(named) == _MOST:
            return
        if any(_is_around(folder, each) or _is_around(each, folder) for each in (*known, *named)):
            continue
        if _LIBRARIES.intersection(folder.split("/")):
            continue
        what = _looks_like(tree, folder)
        if what:
            named.append(folder)
            name = folder.rpartition("/")[2] or "NAME"
            yield f"{at(folder)}{what}; a [services.{name}] with a command in devinit.toml starts it"


def nothing_in(tree: Tree, folders: Iterable[str]) -> Iterator[str]:
    """Yield a note for each of the usual folders without a recognised program."""
    known = set(folders)
    for name in ("backend", "frontend"):
        is_there = any(each == name or each.startswith(f"{name}/") for each in tree.files)
        if not is_there or any(each == name or each.startswith(f"{name}/") for each in known):
            continue
        # Another note reports the problem of an unreadable file.
        if tree.has(name, "package.json") and problem_of(
            tree.path(joined(name, "package.json")), tree.bounds
        ):
            continue
        if name == "frontend" or tree.package(name) is not None:
            yield f"{name}/: no package.json with a dev or start script was found"
        else:
            yield f"{name}/: no application was recognised"


def _is_around(outer: str, inner: str) -> bool:
    return not outer or outer == inner or inner.startswith(f"{outer}/")


def _looks_like(tree: Tree, folder: str) -> str:
    for name, (language, needed) in _MARKERS.items():
        if tree.has(folder, name) and (needed is None or needed.search(tree.text(joined(folder, name)))):
            if language == "Go" and not any(
                "func main()" in tree.text(file) for file in tree.sources(folder, ".go")
            ):
                continue
            # A window of Tauri shows the pages that another program serves.
            is_window = tree.has(folder, "tauri.conf.json")
            if language == "Rust" and (is_window or not _is_program_of_rust(tree, folder)):
                continue
            return f"{name} looks like a program in {language}, and no server was recognised in it"
    if _has_dockerfile(tree, folder) and any(name.endswith(_SOURCES) for name in tree.files[folder]):
        return "its Dockerfile looks like a program, and no server was recognised"
    return ""


def _has_dockerfile(tree: Tree, folder: str) -> bool:
    """Return whether a folder has its own Dockerfile; one written by `devinit export` does not count."""
    if not tree.has(folder, "Dockerfile"):
        return False
    return EXPORT_MARK not in tree.text(joined(folder, "Dockerfile")).partition("\n")[0]


def _is_program_of_rust(tree: Tree, folder: str) -> bool:
    """Return whether a Rust package has a program, and is not just a library."""
    has_main = tree.has(joined(folder, "src"), "main.rs") or bool(tree.files.get(joined(folder, "src/bin")))
    return has_main or "[[bin]]" in tree.text(joined(folder, "Cargo.toml"))
