"""Recognise the applications of Laravel, with the programs that its development command starts beside them.

`composer dev` starts several programs by `concurrently`. The script and the installed packages show which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from shlex import quote
from typing import Any

from msgspec import Struct

from devinit.kinds import not_run
from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications.frameworks import worker
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import Finding, Role, Unit, at
from devinit.sources.commands.process import service_name
from devinit.sources.commands.programs import words_of
from devinit.sources.commands.splitting import split
from devinit.sources.files import table

_HEALTH = re.compile(r"\bhealth:[ \t]{0,10}['\"](?P<path>/[\w/-]{1,100})['\"]")
_QUEUE = re.compile(r"^QUEUE_CONNECTION[ \t]{0,10}=[ \t]{0,10}(?:database|redis)\b", re.MULTILINE)
_BROADCASTS = re.compile(
    r"^BROADCAST_(?:CONNECTION|DRIVER)[ \t]{0,10}=[ \t]{0,10}['\"]?reverb\b", re.MULTILINE
)
_REVERB_PORT = re.compile(
    r"^REVERB_(?:SERVER_)?PORT[ \t]{0,10}=[ \t]{0,10}['\"]?(?P<port>\d{4,5})\b", re.MULTILINE
)
_USUAL_REVERB_PORT = 8080
_PUSHES = re.compile(r"^BROADCAST_(?:CONNECTION|DRIVER)[ \t]{0,10}=[ \t]{0,10}['\"]?pusher\b", re.MULTILINE)
_WEBSOCKETS = "beyondcode/laravel-websockets"
"""A server that speaks as Pusher does, of the time before Reverb."""
_WEBSOCKETS_PORT = re.compile(
    r"^LARAVEL_WEBSOCKETS_PORT[ \t]{0,10}=[ \t]{0,10}['\"]?(?P<port>\d{4,5})\b", re.MULTILINE
)
_USUAL_WEBSOCKETS_PORT = 6001
_DATABASE = re.compile(r"^DB_CONNECTION[ \t]{0,10}=[ \t]{0,10}['\"]?(?P<name>\w{1,40})", re.MULTILINE)
_LIVE = re.compile(r"^APP_ENV[ \t]{0,10}=[ \t]{0,10}['\"]?prod", re.MULTILINE)
_ELSEWHERE = {"mysql": "MySQL", "mariadb": "MariaDB", "sqlsrv": "SQL Server", "mongodb": "MongoDB"}
_MIGRATE = {
    # Without --force, it asks before it creates the file.
    "sqlite": "php artisan migrate --force",
    "pgsql": "php artisan migrate --no-interaction",
}
_ENV_FILES = (".env", ".env.example")
_SCRIPTS = ("dev", "start")
"""Development scripts in composer.json."""
_KNOWN = frozenset({"serve", "pail", "octane:start"})
"""Artisan commands that need no service of their own: they serve the pages or show logs."""
_QUEUES = ("queue:listen", "queue:work", "horizon")


class _Part(Struct, frozen=True):
    """One of the programs that `composer dev` starts."""

    command: str
    name: str
    """Its name in the script; empty without one."""
    artisan: str
    """Its artisan command; empty for another program."""
    evidence: Evidence


def found_in(tree: Tree) -> Finding:
    """Return the applications of Laravel, with their queue workers, schedulers and WebSocket servers."""
    units: list[Unit] = []
    notes: list[str] = []
    for folder in tree.folders:
        file = joined(folder, "composer.json")
        if not tree.has(folder, "artisan") or "laravel/framework" not in tree.text(file):
            continue
        composer = _composer(tree.text(file))
        settings = next((joined(folder, name) for name in _ENV_FILES if tree.has(folder, name)), "")
        units.append(_application(tree, folder, settings))
        parts = list(_parts(tree, file, composer))
        units += _workers(tree, folder, composer, settings, parts)
        if sockets := _sockets(tree, folder, composer, settings, parts) or _pushed(
            tree, folder, composer, settings
        ):
            units.append(sockets)
        notes += _needs(tree, settings)
        notes += (
            f"{each.evidence.place}: `{each.command}` is not started; a "
            f"[services.{service_name(each.name, set())}] with this command in devinit.toml starts it"
            for each in parts
            if each.artisan and each.artisan not in {*_KNOWN, *_QUEUES, "schedule:work", "reverb:start"}
        )
        if not tree.has(folder, ".env") and tree.has(folder, ".env.example"):
            command = "cp .env.example .env && php artisan key:generate"
            there = f"cd {quote(folder)} && {command}" if folder else command
            notes.append(f"{at(folder)}Laravel needs a .env; `{there}` makes it")
    return Finding(tuple(units), tuple(notes))


def _composer(text: str) -> dict[str, Any]:
    """Return the content of a composer.json (Any: it is unchecked)."""
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return described if isinstance(described, dict) else {}


def _application(tree: Tree, folder: str, settings: str) -> Unit:
    file = joined(folder, "composer.json")
    bootstrap = joined(folder, "bootstrap/app.php")
    health = _HEALTH.search(tree.text(bootstrap))
    migrate, shown = _migrations(tree, folder, settings) if settings else ((), ())
    return Unit(
        folder=folder,
        role=Role.BACKEND,
        kind="Laravel",
        language="php",
        # Without --tries, it would choose another port when this one is taken.
        command=f"php artisan serve --host={LOCAL_HOST} --port=${{PORT}} --tries=1",
        port=8000,
        before_start=migrate,
        ready=Readiness(http=health["path"] if health else None),
        evidence=(
            tree.seen("command", file, tree.text(file).find("laravel/framework")),
            *shown,
            *((tree.seen("ready", bootstrap, health.start()),) if health else ()),
        ),
    )


def _parts(tree: Tree, file: str, composer: dict[str, Any]) -> Iterator[_Part]:
    """Yield the programs that the development script of composer.json runs in parallel."""
    scripts = table(composer, "scripts")
    stated = next((scripts[name] for name in _SCRIPTS if name in scripts), None)
    lines = stated if isinstance(stated, list) else [stated]
    text = tree.text(file)
    for line in (each for each in lines if isinstance(each, str)):
        found = split(line.replace("@php ", "php "), {}, "npm")
        for part in found.parts if found else ():
            words = words_of(part.command)
            is_artisan = words[:2] == ["php", "artisan"] and len(words) > 2  # noqa: PLR2004 - its command follows
            artisan = words[2] if is_artisan else ""
            position = text.find(part.command.partition(" --")[0])
            evidence = tree.seen("command", file, max(position, 0))
            yield _Part(part.command, part.name or artisan.partition(":")[0], artisan, evidence)


def _workers(
    tree: Tree, folder: str, composer: dict[str, Any], settings: str, parts: list[_Part]
) -> Iterator[Unit]:
    """Yield the queue worker and the scheduler, if development starts them."""
    queue = next((each for each in parts if each.artisan in _QUEUES), None)
    stated = _QUEUE.search(tree.text(settings)) if settings else None
    if queue is not None:
        yield worker(folder, "queue", queue.command, queue.evidence)
    elif stated is not None:
        has_horizon = "laravel/horizon" in table(composer, "require") and "redis" in stated[0]
        command = "php artisan horizon" if has_horizon else "php artisan queue:listen --tries=1"
        yield worker(folder, "queue", command, tree.seen("command", settings, stated.start()))
    for each in parts:
        if each.artisan == "schedule:work":
            yield Unit(
                folder=folder,
                role=Role.WORKER,
                kind="scheduler",
                suffix="scheduler",
                command=each.command,
                evidence=(each.evidence,),
            )


def _sockets(
    tree: Tree, folder: str, composer: dict[str, Any], settings: str, parts: list[_Part]
) -> Unit | None:
    """Return Reverb, the WebSocket server; None when the application does not use it."""
    if "laravel/reverb" not in table(composer, "require"):
        return None
    started = next((each.evidence for each in parts if each.artisan == "reverb:start"), None)
    broadcasts = _BROADCASTS.search(tree.text(settings)) if settings else None
    if started is None and broadcasts is None:
        return None
    stated = _REVERB_PORT.search(tree.text(settings)) if settings else None
    said = started or tree.seen("command", settings, broadcasts.start() if broadcasts else 0)
    return Unit(
        folder=folder,
        role=Role.WORKER,
        kind="Reverb",
        language="php",
        suffix="reverb",
        command=f"php artisan reverb:start --host={LOCAL_HOST} --port=${{PORT}}",
        port=int(stated["port"]) if stated else _USUAL_REVERB_PORT,
        # The pages read the port from VITE_REVERB_PORT, which is only in the .env.
        strict=stated is not None,
        evidence=(said, *((tree.seen("port", settings, stated.start()),) if stated else ())),
    )


def _pushed(tree: Tree, folder: str, composer: dict[str, Any], settings: str) -> Unit | None:
    """Return the server of laravel-websockets, where the settings broadcast by the protocol of Pusher."""
    pushes = _PUSHES.search(tree.text(settings)) if settings else None
    if _WEBSOCKETS not in table(composer, "require") or pushes is None:
        return None
    stated = _WEBSOCKETS_PORT.search(tree.text(settings))
    return Unit(
        folder=folder,
        role=Role.WORKER,
        kind="laravel-websockets",
        language="php",
        suffix="websockets",
        command=f"php artisan websockets:serve --host={LOCAL_HOST} --port=${{PORT}}",
        port=int(stated["port"]) if stated else _USUAL_WEBSOCKETS_PORT,
        # The pages have the port in their code, or from a variable that only the .env says.
        strict=True,
        evidence=(
            tree.seen("command", settings, pushes.start()),
            *((tree.seen("port", settings, stated.start()),) if stated else ()),
        ),
    )


def _migrations(tree: Tree, folder: str, settings: str) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the migration command if the database is a file in the checkout or run by devinit."""
    text = tree.text(settings)
    found = _DATABASE.search(text)
    command = _MIGRATE.get(found["name"]) if found else None
    is_there = any(tree.path(joined(folder, "database/migrations")).glob("*.php"))
    if found is None or command is None or not is_there or _LIVE.search(text):
        return (), ()
    return (command,), (tree.seen("before_start", settings, found.start()),)


def _needs(tree: Tree, settings: str) -> list[str]:
    """Return a note on the database server that devinit does not run; empty without one."""
    found = _DATABASE.search(tree.text(settings)) if settings else None
    title = _ELSEWHERE.get(found["name"], "") if found else ""
    place = tree.seen("provider", settings, found.start()).place if found else ""
    if not title:
        return []
    return [f"{place}: Laravel needs {title}, {not_run(title)}"]
