"""Recognise the programs of Python by their source code. Nothing is imported or run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.model.service import Readiness
from devinit.sources.applications.dependencies import dependencies_of
from devinit.sources.applications.imports import Place, place_of
from devinit.sources.applications.python_makers import complete, makers_of, names_of
from devinit.sources.applications.python_migrations import migrations_of, unapplied
from devinit.sources.applications.python_source import FRAMEWORKS, Made, Reading, reading_of
from devinit.sources.applications.tree import Tree, joined, relative, upwards
from devinit.sources.applications.unit import Finding, Role, Unit, at
from devinit.sources.shell import word

_WELL_KNOWN = (
    "main.py", "app/main.py", "src/main.py", "src/app/main.py", "app.py", "app/app.py", "app/__init__.py",
    "asgi.py", "app/asgi.py", "server.py", "app/server.py", "api.py", "app/api.py", "wsgi.py",
)  # fmt: skip
_PORTS = {"Flask": 5000, "APIFlask": 5000}
"""Framework → default port of its server; 8000 for all others."""
_WORDS = re.compile(
    "|".join(
        [
            *FRAMEWORKS,
            "uvicorn",
            "hypercorn",
            "granian",
            "Celery",
            "WorkerSettings",
            "Huey",
            "dramatiq",
            "taskiq",
        ]
    )
    + r"|\brq\b|django_rq|beat_schedule|CELERY_BEAT|\bapp(?:lication)?\.run\("
)
"""Matches files that are worth parsing."""
_IMPORT_STRING = re.compile(r"(?<![\w./-])([A-Za-z_][\w.]{0,100}):([A-Za-z_]\w{0,60})(?![\w/])")
COMMAND_FILES = (
    "Procfile",
    "Dockerfile",
    "Makefile",
    "justfile",
    "README.md",
    "package.json",
    "docker-compose.yml",
)
"""Files that may name the served application by an import string or a script."""
_SERVED_BY = re.compile(r"\b(?:uvicorn|gunicorn|hypercorn|granian|daphne)\b[^\n]{0,300}")
_PORT_OPTION = re.compile(r"(?:--port|--bind|-b|-p)[\"', =\t]{1,6}(?:[\w.*\[\]]{0,40}:)?(\d{4,5})(?![\w.])")
_TESTS = re.compile(r"(?:\A|/)(?:test_[^/]{0,200}|[^/]{0,200}_test|conftest|setup|noxfile)\.py\Z")
_MOST_READ = 1_000
_MOST_PARSED = 400
_ROUNDS = 2
"""Limit of files that import a factory from one another."""


class Application(Struct, frozen=True):
    """An application object, or the function that creates one."""

    file: str
    made: Made
    reading: Reading
    place: Place
    source: tuple[str, Reading]
    """The file that creates it, with its contents."""


def readings_in(tree: Tree) -> dict[str, Reading]:
    """Return the parsed Python files of a project, keyed by file, nearest first."""
    readings: dict[str, Reading] = {}
    left: list[str] = []
    for file in tree.sources("", ".py", _MOST_READ):
        if _TESTS.search(file):
            continue
        if _WORDS.search(tree.text(file)) and len(readings) < _MOST_PARSED:
            readings[file] = reading_of(tree.text(file))
        else:
            left.append(file)
    # A file that only calls a factory of another file names no framework.
    for _ in range(_ROUNDS):
        names = names_of(makers_of(readings))
        calling = [file for file in left if any(name in tree.text(file) for name in names)]
        readings |= {file: reading_of(tree.text(file)) for file in calling[: _MOST_PARSED - len(readings)]}
        left = [file for file in left if file not in readings]
        if not calling:
            break
    complete(readings)
    return readings


def found_in(tree: Tree, readings: Mapping[str, Reading], taken: set[str]) -> Finding:
    """Return the web applications of a project, one per folder, without those below `taken` folders."""
    folders: dict[str, list[Application]] = {}
    for file, reading in readings.items():
        for made in reading.made:
            if made.name in reading.mounted:
                continue
            place = place_of(tree, file, reading)
            of = made.of or file
            if of == file or place_of(tree, of, readings[of]).folder == place.folder:
                application = Application(file, made, reading, place, (of, readings[of]))
                folders.setdefault(place.folder, []).append(application)
    units: list[Unit] = []
    notes: list[str] = []
    for folder, applications in folders.items():
        if any(folder == each or folder.startswith(f"{each}/") for each in taken if each or folder == ""):
            continue
        targets = _targets(tree, folder, readings)
        applications += [*_named_elsewhere(tree, folder, applications, targets)]
        best = min(applications, key=lambda each: _likelihood(each, targets))
        units.append(_unit(tree, best))
        if not units[-1].before_start:
            notes += unapplied(tree, folder)
        others = dict.fromkeys(
            each.file
            for each in applications
            if each.source[0] not in (best.file, best.source[0]) and not each.made.is_factory
        )
        if others and not _is_named(best, targets):
            notes.append(
                f"{at(folder)}{best.file} is served; an application is in {' and '.join([*others][:3])}, too"
            )
    return Finding(tuple(units), tuple(notes))


def _targets(tree: Tree, folder: str, readings: Mapping[str, Reading]) -> set[tuple[str, str]]:
    """Return the import strings that servers are started with, in the code and in files with commands."""
    strings = [
        target
        for file, reading in readings.items()
        if not folder or file.startswith(f"{folder}/")
        for target in reading.targets
    ]
    strings += _commands_of(tree, folder)
    return {(found[1], found[2]) for text in strings for found in _IMPORT_STRING.finditer(text)}


def _named_elsewhere(
    tree: Tree, folder: str, applications: list[Application], targets: set[tuple[str, str]]
) -> Iterator[Application]:
    """Yield what a server is started with in a file that imports the application of another one.

    `main.py` that loads the settings, connects, and has `from src.app import app`.
    """
    for module, name in sorted(targets):
        path = module.replace(".", "/")
        files = (
            joined(folder, f"{above}{path}{end}") for above in ("", "src/") for end in (".py", "/__init__.py")
        )
        file = next((each for each in files if tree.text(each)), None)
        if file is None or any(each.file == file and each.made.name == name for each in applications):
            continue
        text = tree.text(file)
        reading = reading_of(text)
        origin, _, original = reading.imports.get(name, "").rpartition(".")
        for each in applications:
            inside = f".{each.place.module}".endswith(f".{origin.lstrip('.')}")
            if (
                origin
                and inside
                and each.made.name == original
                and not each.made.is_factory
                and not each.made.of
            ):
                lines = enumerate(text.splitlines(), start=1)
                line = next((number for number, says in lines if _imports(says, name)), 1)
                made = Made(name, each.made.framework, line, rank=-1, of=each.file)
                yield Application(file, made, reading, place_of(tree, file, reading), each.source)
                break


def _imports(line: str, name: str) -> bool:
    return "import" in line and name in line.partition("import")[2].replace(",", " ").split()


def _is_named(application: Application, targets: set[tuple[str, str]]) -> bool:
    return any(
        name == application.made.name
        and (application.place.module == module or application.place.module.endswith(f".{module}"))
        for module, name in targets
    )


def _likelihood(
    application: Application, targets: set[tuple[str, str]]
) -> tuple[bool, bool, int, int, int, str, bool]:
    """Return a sort key that puts the likeliest application first."""
    file = str(relative(application.file, application.place.folder))
    known = _WELL_KNOWN.index(file) if file in _WELL_KNOWN else len(_WELL_KNOWN)
    made = application.made
    return (
        not _is_named(application, targets),
        made.is_factory,
        known,
        file.count("/"),
        made.rank,
        file,
        made.name != "app",
    )


def _unit(tree: Tree, application: Application) -> Unit:
    made, place = application.made, application.place
    packages = {each.name for folder in upwards(place.folder) for each in dependencies_of(tree, folder)}
    port, said = _port(tree, application)
    flask = _flask_target(made, place) if made.framework in _PORTS else ""
    migrations = migrations_of(tree, place.folder, packages, flask)
    health = _health(application)
    return Unit(
        folder=place.folder,
        role=Role.BACKEND,
        kind=made.framework,
        language="python",
        command=_command(application, packages),
        port=port,
        ready=Readiness(http=health[0] if health else None),
        docs_path=application.source[1].docs_path if made.framework == "FastAPI" else None,
        before_start=migrations.commands,
        evidence=(
            line_of(tree, "command", application.file, made.line),
            *((line_of(tree, "ready", *health[1:]),) if health else ()),
            *said,
            *migrations.evidence,
        ),
    )


def _port(tree: Tree, application: Application) -> tuple[int, tuple[Evidence, ...]]:
    """Return the port that the code sets for its server, or the default of the framework."""
    found = application.reading.port
    if found and LOWEST_PORT <= found[0] <= HIGHEST_PORT:
        return found[0], (line_of(tree, "port", application.file, found[1]),)
    return _commanded_port(tree, application) or _PORTS.get(application.made.framework, 8000), ()


def _commanded_port(tree: Tree, application: Application) -> int | None:
    """Return the port that a command of the project passes to an application.

    It is no evidence: the published port of a container has priority over the one inside it.
    """
    place = application.place
    for text in _commands_of(tree, place.folder):
        targets = {(found[1], found[2]) for found in _IMPORT_STRING.finditer(text)}
        port = _PORT_OPTION.search(text) if _is_named(application, targets) else None
        if port is not None and LOWEST_PORT <= int(port[1]) <= HIGHEST_PORT:
            return int(port[1])
    return None


def _commands_of(tree: Tree, folder: str) -> Iterator[str]:
    """Yield the commands that start a server in the files of a folder and of the root folder."""
    for place in dict.fromkeys((folder, "")):
        for name in tree.files.get(place, ()):
            if name.startswith(COMMAND_FILES) or name.endswith(".sh"):
                yield from (found[0] for found in _SERVED_BY.finditer(tree.text(joined(place, name))))


def _health(application: Application) -> tuple[str, str, int] | None:
    """Return the health route of the application itself, with file and line.

    The route of a router does not count: it may have a prefix.
    """
    for file, reading in ((application.file, application.reading), application.source):
        health = reading.health
        routes = health.get("Route") if application.made.framework in ("Starlette", "Litestar") else None
        if found := health.get(application.made.name) or routes:
            return found[0], file, found[1]
    return None


def _command(application: Application, packages: set[str]) -> str:
    made, place = application.made, application.place
    target = f"{place.module}:{made.name}"
    where = f"--host {LOCAL_HOST} --port ${{PORT}}"
    if made.framework in _PORTS:
        return f"flask --app {_flask_target(made, place)} run {where} --debug"
    above = f"--app-dir {word(place.above)} " if place.above else ""
    factory = " --factory" if made.is_factory else ""
    if made.framework == "Sanic":
        return f"sanic {target}{factory} {where} --dev"
    has_uvicorn = any(name.startswith("python:uvicorn") for name in packages)
    if made.framework == "Litestar" and not has_uvicorn:
        return f"litestar {above}--app {target} run {where} --reload"
    if not has_uvicorn and (made.framework == "Quart" or "python:hypercorn" in packages) and not place.above:
        return f"hypercorn --bind {LOCAL_HOST}:${{PORT}} --reload {target}{'()' if made.is_factory else ''}"
    if not has_uvicorn and any(name.startswith("python:granian") for name in packages):
        inside = f"--working-dir {word(place.above)} " if place.above else ""
        return f"granian --interface asgi {inside}{where} --reload{factory} {target}"
    return f"uvicorn {above}{target}{factory} {where} --reload"


def _flask_target(made: Made, place: Place) -> str:
    """Return the value for `--app` of Flask."""
    module = f"{place.above}/{place.module.replace('.', '/')}" if place.above else place.module
    usual = made.name in ("app", "application", "create_app", "make_app")
    return f"{word(module)}{'' if usual else f':{made.name}'}"


def line_of(tree: Tree, about: str, file: str, line: int) -> Evidence:
    """Return a line of a file, by its number, as evidence for a value of a service."""
    text = tree.text(file)
    position = 0
    for _ in range(line - 1):
        position = text.find("\n", position) + 1
    return tree.seen(about, file, position)
