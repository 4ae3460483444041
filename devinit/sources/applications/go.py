"""Recognise the servers of Go: main packages that listen on a port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from devinit.model.defaults import LOCAL_HOST
from devinit.model.service import Readiness
from devinit.sources.applications.ports_in_code import ENV_FILES, port_in, stated_in
from devinit.sources.applications.tree import Tree, parent, relative
from devinit.sources.applications.unit import BUILD_SECONDS, Finding, Role, Unit
from devinit.sources.shell import word

_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_LISTENS = re.compile(
    r"(?:(?:ListenAndServe(?:TLS)?|\.Run|\.Listen|\.Start|\.Serve|net\.Listen)\((?:\"tcp\",[ \t]{0,10})?"
    r"|http\.Server\{(?:[^{}\"]{0,400}?\bAddr:[ \t]{0,40})?)(?:\"[\w.]{0,40}:(?P<port>\d{2,5})\")?"
)
_SERVES = re.compile(
    r"net/http|gin-gonic|gofiber|labstack/echo|go-chi|gorilla/mux|fasthttp|google\.golang\.org/grpc|connectrpc"
    r"|pocketbase/pocketbase"
)
"""Matches packages that serve requests: `.Run(` alone may be anything."""
_WORKS = re.compile(r"(?:\A|[-_])(?:workers?|consumers?|scheduler|cron|jobs?)(?:[-_]|\Z)")
"""Matches the name of a program that processes a queue or scheduled work."""
_MIGRATES = re.compile(r"(?:\A|[-_])migrat(?:e|es|or|ions?)(?:[-_]|\Z)")
_USUAL_PORT = 8080
_POCKETBASE = re.compile(r"\bpocketbase\.New(?:WithConfig)?\(")
"""PocketBase as a framework: its program is a command line, of which `serve` listens."""
_POCKETBASE_PORT = 8090


def found_in(tree: Tree) -> Finding:
    """Return the servers of each module."""
    modules = [folder for folder in tree.folders if tree.has(folder, "go.mod")]
    units = [unit for module in modules for unit in _servers(tree, module)]
    serving = dict.fromkeys(unit.folder for unit in units)
    return Finding(tuple(units), tuple(note for module in serving for note in _beside(tree, module)))


def _beside(tree: Tree, module: str) -> Iterator[str]:
    """Yield a note for each program of a module that is a worker or a migration, judging by its name."""
    texts = _texts(tree, module)
    for file, text in texts.items():
        folder, found = parent(file), _MAIN.search(text)
        name = folder.rpartition("/")[2]
        own = {each: text for each, text in texts.items() if parent(each) == folder}
        if not (found and "func main()" in text) or _listening(own) is not None:
            continue
        command = _command(tree, module, folder, is_only=False)
        if _MIGRATES.search(name):
            yield (
                f"{tree.seen('command', file, found.start()).place}: nothing runs {name}; `{command}` in "
                "`before_start` of the service in devinit.toml does"
            )
        elif _WORKS.search(name):
            yield (
                f"{tree.seen('command', file, found.start()).place}: {name} is not started, because nothing shows "
                f'what it works off; a [services.{name}] with `command = "{command}"` in devinit.toml starts it'
            )


def _texts(tree: Tree, module: str) -> dict[str, str]:
    return {file: tree.text(file) for file in tree.sources(module, ".go") if not file.endswith("_test.go")}


def _servers(tree: Tree, module: str) -> Iterator[Unit]:
    texts = _texts(tree, module)
    mains = list(dict.fromkeys(parent(file) for file, text in texts.items() if _MAIN.search(text)))
    for folder in mains:
        own = {file: text for file, text in texts.items() if parent(file) == folder}
        # With one program in the module, the listening code may be in any of its packages.
        listening = _listening(own) or (_listening(texts) if len(mains) == 1 else None)
        if listening is None:
            continue
        base = next(
            ((file, found) for file, text in own.items() if (found := _POCKETBASE.search(text))), None
        )
        if base is not None:
            run = _run(module, folder)
            yield Unit(
                folder=module,
                role=Role.BACKEND,
                kind="PocketBase",
                command=f"{run} serve --http={LOCAL_HOST}:${{PORT}}",
                port=_POCKETBASE_PORT,
                ready=Readiness(http="/api/health", timeout_seconds=BUILD_SECONDS),
                suffix=folder.rpartition("/")[2] if len(mains) > 1 else "",
                uses_databases=False,
                evidence=(tree.seen("command", base[0], base[1].start()),),
            )
            continue
        port = port_in([*own.items(), *texts.items()], _LISTENS)
        if port is None or port.number is None:
            files = [f"{module}/{name}" if module else name for name in ENV_FILES]
            variable = (port and port.variable) or "PORT"
            port = stated_in(((file, tree.text(file)) for file in files), variable) or port
        said = (tree.seen("port", port.file, port.position),) if port and port.number else ()
        yield Unit(
            folder=module,
            role=Role.BACKEND,
            kind="Go",
            command=_command(tree, module, folder, is_only=len(mains) == 1),
            port=(port.number if port else None) or _USUAL_PORT,
            strict=port is not None and port.variable is None,
            port_env=(port.variable,) if port and port.variable and port.variable != "PORT" else (),
            ready=Readiness(timeout_seconds=BUILD_SECONDS),
            suffix=folder.rpartition("/")[2] if len(mains) > 1 else "",
            evidence=(tree.seen("command", *listening), *said),
        )


def _listening(texts: Mapping[str, str]) -> tuple[str, int] | None:
    """Return file and position of the first code that listens."""
    for file, text in texts.items():
        if _SERVES.search(text) and (found := _LISTENS.search(text)):
            return file, found.start()
    return None


def _command(tree: Tree, module: str, folder: str, *, is_only: bool) -> str:
    """Return the command of a program: `air`, which rebuilds on changes, if it is configured and installed."""
    import shutil  # 2 ms, for repositories with Go alone

    if is_only and tree.has(module, ".air.toml") and shutil.which("air") is not None:
        return "air"
    return _run(module, folder)


def _run(module: str, folder: str) -> str:
    return "go run ." if folder == module else f"go run {word(f'./{relative(folder, module)}')}"
