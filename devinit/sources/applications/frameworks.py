"""Recognise the servers of Ruby on Rails and Deno by their usual files."""

from __future__ import annotations

import re

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications import javascript
from devinit.sources.applications.dependencies import dependencies_of
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import Finding, Role, Unit
from devinit.sources.files import table
from devinit.sources.jsonc import parse_jsonc

_RAILS = re.compile(r"^[ \t]{0,40}gem[ \t(]{1,10}['\"]rails['\"]", re.MULTILINE)
_RAILS_HEALTH = re.compile(
    r"^[ \t]{0,40}get[ \t(]{1,10}['\"]/?(?P<path>up|health|healthz)['\"]", re.MULTILINE
)
_DENO_TASK = ("dev", "start")


def rails(tree: Tree) -> Finding:
    """Return the applications of Rails, with their Sidekiq workers."""
    units = []
    for folder in tree.folders:
        gemfile = joined(folder, "Gemfile")
        found = _RAILS.search(tree.text(gemfile))
        if found is None or not tree.path(joined(folder, "bin/rails")).is_file():
            continue
        evidence = tree.seen("command", gemfile, found.start())
        routes = joined(folder, "config/routes.rb")
        health = _RAILS_HEALTH.search(tree.text(routes))
        has_schema = any(
            tree.path(joined(folder, f"db/{name}")).exists()
            for name in ("schema.rb", "structure.sql", "migrate")
        )
        has_database = bool(tree.text(joined(folder, "config/database.yml"))) and has_schema
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind="Rails",
                command=f"bin/rails server -b {LOCAL_HOST} -p ${{PORT}}",
                port=3000,
                before_start=("bin/rails db:prepare",) if has_database else (),
                ready=Readiness(http=f"/{health['path']}" if health else None),
                evidence=(evidence, *((tree.seen("ready", routes, health.start()),) if health else ())),
            )
        )
        sidekiq = next((each for each in dependencies_of(tree, folder) if each.name == "ruby:sidekiq"), None)
        if sidekiq is not None:
            said = tree.seen("command", sidekiq.file, sidekiq.position)
            units.append(worker(folder, "sidekiq", "bundle exec sidekiq", said))
    return Finding(tuple(units))


def worker(folder: str, kind: str, command: str, evidence: Evidence) -> Unit:
    """Return a worker that processes a queue."""
    return Unit(
        folder=folder, role=Role.WORKER, kind=kind, suffix="worker", command=command, evidence=(evidence,)
    )


def deno(tree: Tree) -> Finding:
    """Return the programs of Deno: each has a task that starts a server."""
    units = []
    for folder in tree.folders:
        file = next(
            (joined(folder, name) for name in ("deno.json", "deno.jsonc") if tree.has(folder, name)), ""
        )
        if not file or tree.has(folder, "package.json"):
            continue
        tasks = table(parse_jsonc(tree.text(file)), "tasks")
        task = next((each for each in _DENO_TASK if isinstance(tasks.get(each), str)), None)
        if task is None or not re.search(r"\b(?:deno (?:run|serve|task)|vite)\b", tasks[task]):
            continue
        is_vite, serves = "vite" in tasks[task].split(), "deno serve" in tasks[task]
        given = f" --host {LOCAL_HOST} --port ${{PORT}}" if is_vite or serves else ""
        use = None if given else _deno_port(tree, folder, tasks[task])
        is_backend = not is_vite and "fresh" not in tree.text(file)
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND if is_backend else Role.FRONTEND,
                kind="Deno",
                command=f"deno task {task}{given}",
                port=(use and use[1].usual) or (5173 if is_vite else 8000),
                strict=use is not None and use[1].variable is None,
                port_env=(use[1].variable,) if use and use[1].variable and use[1].variable != "PORT" else (),
                evidence=(
                    tree.seen("command", file, max(tree.text(file).find(f'"{task}"'), 0)),
                    *((tree.seen("port", use[0], use[1].position),) if use else ()),
                ),
            )
        )
    return Finding(tuple(units))


def _deno_port(tree: Tree, folder: str, task: str) -> tuple[str, javascript.PortUse] | None:
    """Return the file and the port use of a Deno program; files that its task runs come first."""
    named = [joined(folder, word.removeprefix("./")) for word in task.split()]
    sources = tree.sources(folder, javascript.SUFFIXES)
    for file in sorted(sources, key=lambda each: each not in named):
        text = javascript.plain(tree.text(file))
        if (file in named or javascript.listens(text) is not None) and (use := javascript.port_of(text)):
            return file, use
    return None
