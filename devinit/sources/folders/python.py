"""Recognise a Python web application by its source text: nothing is imported, so nothing can happen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from devinit.model.defaults import LOCAL_HOST, preferring
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness, Service
from devinit.sources.files import read, read_source, seen, source_files
from devinit.sources.folders.finding import Finding
from devinit.system.bounds import Bounds

ASGI = ("FastAPI", "Starlette")
WSGI = ("Flask",)
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "create_application", "get_application")
_HEALTH_PATHS = ("/health", "/healthz", "/api/health")
_WELL_KNOWN = (
    "main.py", "app/main.py", "src/main.py", "src/app/main.py", "app.py", "app/app.py", "app/__init__.py",
    "asgi.py", "app/asgi.py", "server.py", "app/server.py", "api.py", "app/api.py", "wsgi.py",
)  # fmt: skip
_INSTALLERS = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "Pipfile": "pipenv install",
    "requirements.txt": "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
    "pyproject.toml": "python3 -m venv .venv && .venv/bin/pip install -e .",
}
"""What says how a virtual environment is made → the command that makes it."""


class Application(Struct, frozen=True):
    """An application object, or the function that makes one."""

    file: PurePosixPath
    """Relative to the service's folder."""
    attribute: str
    framework: str
    factory: bool
    source: str
    """Its text, without documentation."""
    position: int = 0
    """Where in it the object or the function is."""


def backend(bounds: Bounds, folder: Path, depends_on: tuple[str, ...]) -> Finding | None:
    """Return the Python application in a folder; None when there is none."""
    notes = _without_environment(bounds.root, folder)
    manage = folder / "manage.py"
    text = read(manage, bounds)
    if (position := text.lower().find("django")) >= 0:
        command = f"python manage.py runserver {LOCAL_HOST}:${{PORT}}"
        evidence = (seen("command", manage, bounds, text, position),)
        service = _service(folder, command, depends_on, ("python manage.py migrate --noinput",))
        return Finding(service, notes, evidence)
    application = find_application(folder, bounds)
    if application is None:
        return None
    alembic = folder / "alembic.ini"
    has_migrations = alembic.is_file() and bounds.holds(alembic)
    migrations = ("python -m alembic upgrade head",) if has_migrations else ()
    service = _service(folder, _command(folder, application, bounds), depends_on, migrations, application)
    evidence = (
        *_lines_of(application, folder, bounds),
        *([seen("before_start", alembic, bounds, read(alembic, bounds), 0)] if has_migrations else ()),
    )
    return Finding(service, notes, evidence)


def _lines_of(application: Application, folder: Path, bounds: Bounds) -> Iterator[Evidence]:
    """Yield where the application is made, and where its health route is."""
    path, text = folder / application.file, application.source
    yield seen("command", path, bounds, text, application.position)
    if (route := _health_route(application)) is not None:
        yield seen("ready", path, bounds, text, route[1])


def find_application(folder: Path, bounds: Bounds) -> Application | None:
    """Return the application that is most likely the one to serve."""
    found: list[Application] = []
    for path in source_files(folder, ".py", bounds):
        source = _without_docstrings(read_source(path))
        file = PurePosixPath(path.relative_to(folder).as_posix())
        for framework in (*ASGI, *WSGI):
            if framework in source:
                found += _applications(file, framework, source)
    found += _made_elsewhere(folder, found, bounds)
    return min(found, key=_likelihood, default=None)


def _applications(file: PurePosixPath, framework: str, source: str) -> Iterable[Application]:
    call = rf"(?:\w+\.)?{framework}\("
    for match in re.finditer(rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*{call}", source, re.MULTILINE):
        yield Application(file, match[1], framework, factory=False, source=source, position=match.start())
    for match in re.finditer(r"^def (\w+)\(((?:[^()]|\([^()]*\))*)\)", source, re.MULTILINE):
        body = re.split(r"\n(?=\S)", source[match.end() :], maxsplit=1)[0]
        if match[1] in FACTORIES and _callable_without_arguments(match[2]) and re.search(call, body):
            yield Application(file, match[1], framework, factory=True, source=source, position=match.start())


def _callable_without_arguments(parameters: str) -> bool:
    each = [parameter.strip() for parameter in parameters.split(",")]
    return all("=" in parameter or parameter.startswith("*") or not parameter for parameter in each)


def _made_elsewhere(folder: Path, found: list[Application], bounds: Bounds) -> Iterable[Application]:
    """Yield the objects that a module makes by calling a factory: `app = create_app()`."""
    frameworks = {each.attribute: each.framework for each in found if each.factory}
    calls = rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)*({'|'.join(frameworks)})\("
    for path in source_files(folder, ".py", bounds) if frameworks else ():
        source = _without_docstrings(read_source(path))
        file = PurePosixPath(path.relative_to(folder).as_posix())
        for match in re.finditer(calls, source, re.MULTILINE):
            yield Application(
                file, match[1], frameworks[match[2]], factory=False, source=source, position=match.start()
            )


def _likelihood(application: Application) -> tuple[bool, int, int, str, bool]:
    """Return a key that sorts the likeliest application first."""
    file = str(application.file)
    known = _WELL_KNOWN.index(file) if file in _WELL_KNOWN else len(_WELL_KNOWN)
    return (application.factory, known, len(application.file.parts), file, application.attribute != "app")


def _without_docstrings(source: str) -> str:
    """Return source text without texts in triple quotes: documentation likes to show `app = FastAPI()`.

    The lines keep their numbers.
    """
    return re.sub(
        r"\"\"\".*?\"\"\"|'''.*?'''",
        lambda found: '""' + "\n" * found[0].count("\n"),
        source,
        flags=re.DOTALL,
    )


def _command(folder: Path, application: Application, bounds: Bounds) -> str:
    directory, module = _importable(folder, application.file, bounds)
    if application.framework in WSGI:
        place = f"{directory}/{module.replace('.', '/')}" if directory else module
        attribute = (
            ""
            if application.attribute in ("app", "application", "create_app", "make_app")
            else (f":{application.attribute}")
        )
        return f"flask --app {place}{attribute} run --host {LOCAL_HOST} --port ${{PORT}} --debug"
    flags = f"--app-dir {directory} " if directory else ""
    factory = " --factory" if application.factory else ""
    target = f"{module}:{application.attribute}"
    return f"uvicorn {flags}{target}{factory} --host {LOCAL_HOST} --port ${{PORT}} --reload"


def _importable(folder: Path, file: PurePosixPath, bounds: Bounds) -> tuple[str, str]:
    """Return the directory that must be on the path (empty for the service's own) and the module's name."""
    directories, names = list(file.parent.parts), list(file.with_suffix("").parts)
    if names[-1] == "__init__" and len(names) > 1:
        names.pop()
    outside = next((index for index, part in enumerate(directories) if not part.isidentifier()), -1) + 1
    if outside == 0 and directories[:1] == ["src"] and not _is_package(folder / "src", bounds):
        outside = 1
    return "/".join(directories[:outside]), ".".join(names[outside:])


def _is_package(directory: Path, bounds: Bounds) -> bool:
    """Tell whether `src` is imported by its name, as `from src.models import …` does."""
    if (directory / "__init__.py").is_file():
        return True
    imports = re.compile(rf"^[ \t]*(from|import) {directory.name}\b", re.MULTILINE)
    return any(imports.search(read_source(path)) for path in source_files(directory, ".py", bounds))


def _service(
    folder: Path,
    command: str,
    depends_on: tuple[str, ...],
    before_start: tuple[str, ...],
    application: Application | None = None,
) -> Service:
    return Service(
        name="backend",
        command=command,
        directory=folder,
        port=preferring("backend", 8000, browser=True),
        depends_on=depends_on,
        before_start=before_start,
        ready=Readiness(http=_health_path(application) if application else None),
        docs_path=_docs_path(application) if application else None,
    )


def _health_path(application: Application) -> str | None:
    route = _health_route(application)
    return route and route[0]


def _health_route(application: Application) -> tuple[str, int] | None:
    """Return the path of a health route of the application itself, and where it is in the text.

    That of a router may have a prefix.
    """
    for path in _HEALTH_PATHS:
        decorator = rf"^@{application.attribute}\.(?:get|route|api_route)\(\s*[\"']{path}[\"']"
        route = rf"^[ \t]*(?:\w+\.)?Route\(\s*[\"']{path}[\"']"
        pattern = f"{decorator}|{route}" if application.framework == "Starlette" else decorator
        if found := re.search(pattern, application.source, re.MULTILINE):
            return path, found.start()
    return None


def _docs_path(application: Application) -> str | None:
    shown = application.framework == "FastAPI" and not re.search(
        r"\b(docs|openapi)_url\b", application.source
    )
    return "/docs" if shown else None


def _without_environment(root: Path, folder: Path) -> tuple[str, ...]:
    """Return a note when there is something to install and no virtual environment where it could be."""
    if any((place / name / "bin").is_dir() for place in (folder, root) for name in (".venv", "venv")):
        return ()
    for place in (folder, root):
        for name, command in _INSTALLERS.items():
            if (place / name).is_file():
                where = f"cd {folder.name} && " if place == folder else ""
                return (f"{folder.name}/: no virtual environment (.venv) yet; `{where}{command}` makes one",)
    return ()
