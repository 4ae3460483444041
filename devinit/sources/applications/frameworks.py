"""Recognise the servers of Ruby on Rails, Laravel, Phoenix and Deno by the files that each of them has."""

from __future__ import annotations

import re
from shlex import quote

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications import javascript
from devinit.sources.applications.dependencies import dependencies_of
from devinit.sources.applications.ports_in_code import port_in
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import BUILD_SECONDS, Finding, Role, Unit, at
from devinit.sources.files import table
from devinit.sources.jsonc import parse_jsonc

_RAILS = re.compile(r"^[ \t]{0,40}gem[ \t(]{1,10}['\"]rails['\"]", re.MULTILINE)
_RAILS_HEALTH = re.compile(
    r"^[ \t]{0,40}get[ \t(]{1,10}['\"]/?(?P<path>up|health|healthz)['\"]", re.MULTILINE
)
_LARAVEL_HEALTH = re.compile(r"\bhealth:[ \t]{0,10}['\"](?P<path>/[\w/-]{1,100})['\"]")
_QUEUE = re.compile(r"^QUEUE_CONNECTION[ \t]{0,10}=[ \t]{0,10}(?:database|redis)\b", re.MULTILINE)
_LARAVEL_DATABASE = re.compile(r"^DB_CONNECTION[ \t]{0,10}=[ \t]{0,10}['\"]?(?P<name>\w{1,40})", re.MULTILINE)
_LARAVEL_LIVE = re.compile(r"^APP_ENV[ \t]{0,10}=[ \t]{0,10}['\"]?prod", re.MULTILINE)
_LARAVEL_ELSEWHERE = {"mysql": "MySQL", "mariadb": "MariaDB", "sqlsrv": "SQL Server", "mongodb": "MongoDB"}
_LARAVEL_MIGRATE = {
    # Without --force it asks before it makes the file.
    "sqlite": "php artisan migrate --force",
    "pgsql": "php artisan migrate --no-interaction",
}
_PHOENIX = re.compile(r"\{:phoenix,")
_ELIXIR_PORT = re.compile(r"\bport:[ \t]{0,10}(?P<port>\d{4,5})\b")
_ELIXIR_READS = re.compile(r"(?:get_env|fetch_env!)\(\"PORT\"")
_DENO_TASK = ("dev", "start")


def rails(tree: Tree) -> Finding:
    """Return the applications of Rails, and of Sidekiq beside them."""
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
            units.append(_worker(folder, "sidekiq", "bundle exec sidekiq", said))
    return Finding(tuple(units))


def laravel(tree: Tree) -> Finding:
    """Return the applications of Laravel, with the worker of a queue that is kept in a database."""
    units = []
    notes: list[str] = []
    for folder in tree.folders:
        if not tree.has(folder, "artisan") or "laravel/framework" not in tree.text(
            joined(folder, "composer.json")
        ):
            continue
        file = joined(folder, "composer.json")
        bootstrap = joined(folder, "bootstrap/app.php")
        health = _LARAVEL_HEALTH.search(tree.text(bootstrap))
        evidence = tree.seen("command", file, tree.text(file).find("laravel/framework"))
        settings = next((name for name in (".env", ".env.example") if tree.has(folder, name)), "")
        migrate, shown = _laravel_migrations(tree, folder, joined(folder, settings)) if settings else ((), ())
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind="Laravel",
                language="php",
                # Without --tries it takes another port of its own when this one is taken.
                command=f"php artisan serve --host={LOCAL_HOST} --port=${{PORT}} --tries=1",
                port=8000,
                before_start=migrate,
                ready=Readiness(http=health["path"] if health else None),
                evidence=(
                    evidence,
                    *shown,
                    *((tree.seen("ready", bootstrap, health.start()),) if health else ()),
                ),
            )
        )
        notes += _laravel_needs(tree, joined(folder, settings)) if settings else ()
        for name in (".env", ".env.example"):
            settings = joined(folder, name)
            if queue := _QUEUE.search(tree.text(settings)):
                said = tree.seen("command", settings, queue.start())
                units.append(_worker(folder, "queue", "php artisan queue:listen --tries=1", said))
                break
        if not tree.has(folder, ".env") and tree.has(folder, ".env.example"):
            command = "cp .env.example .env && php artisan key:generate"
            there = f"cd {quote(folder)} && {command}" if folder else command
            notes.append(f"{at(folder)}Laravel needs a .env; `{there}` makes it")
    return Finding(tuple(units), tuple(notes))


def _laravel_migrations(
    tree: Tree, folder: str, settings: str
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the migrations of an application whose database is in the checkout, or devinit's."""
    text = tree.text(settings)
    found = _LARAVEL_DATABASE.search(text)
    command = _LARAVEL_MIGRATE.get(found["name"]) if found else None
    is_there = any(tree.path(joined(folder, "database/migrations")).glob("*.php"))
    if found is None or command is None or not is_there or _LARAVEL_LIVE.search(text):
        return (), ()
    return (command,), (tree.seen("before_start", settings, found.start()),)


def _laravel_needs(tree: Tree, settings: str) -> list[str]:
    """Name the server that devinit does not run."""
    found = _LARAVEL_DATABASE.search(tree.text(settings))
    title = _LARAVEL_ELSEWHERE.get(found["name"], "") if found else ""
    place = tree.seen("provider", settings, found.start()).place if found else ""
    return (
        [f"{place}: Laravel needs {title}, which devinit does not provide: start it yourself"]
        if title
        else []
    )


def _worker(folder: str, kind: str, command: str, evidence: Evidence) -> Unit:
    return Unit(
        folder=folder, role=Role.WORKER, kind=kind, suffix="worker", command=command, evidence=(evidence,)
    )


def phoenix(tree: Tree) -> Finding:
    """Return the applications of Phoenix."""
    units = []
    for folder in tree.folders:
        file = joined(folder, "mix.exs")
        found = _PHOENIX.search(tree.text(file))
        if found is None:
            continue
        names = [joined(folder, f"config/{name}.exs") for name in ("dev", "runtime", "config")]
        reads = any(_ELIXIR_READS.search(tree.text(name)) for name in names[:2])
        stated = next(
            ((name, port) for name in names if (port := _ELIXIR_PORT.search(tree.text(name)))), None
        )
        texts = [(name, tree.text(name)) for name in names]
        other = port_in(texts, _ELIXIR_PORT) if not (reads or stated) else None
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind="Phoenix",
                command="mix phx.server",
                port=int(stated[1]["port"]) if stated else (other and other.number) or 4000,
                strict=stated is not None and not reads,
                port_env=(other.variable,) if other and other.variable else (),
                ready=Readiness(timeout_seconds=BUILD_SECONDS),
                evidence=(
                    tree.seen("command", file, found.start()),
                    *((tree.seen("port", stated[0], stated[1].start()),) if stated else ()),
                    *((tree.seen("port", other.file, other.position),) if other and other.number else ()),
                ),
            )
        )
    return Finding(tuple(units))


def deno(tree: Tree) -> Finding:
    """Return the programs of Deno: a task that starts a server."""
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
    """Return where the code of a program of Deno takes its port from, the file that its task runs first."""
    named = [joined(folder, word.removeprefix("./")) for word in task.split()]
    sources = tree.sources(folder, javascript.SUFFIXES)
    for file in sorted(sources, key=lambda each: each not in named):
        text = javascript.plain(tree.text(file))
        if (file in named or javascript.listens(text) is not None) and (use := javascript.port_of(text)):
            return file, use
    return None
