"""Recognise the workers of Python, where the code or the settings name their queue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from devinit.model.evidence import Evidence
from devinit.sources.applications.django import settings_of
from devinit.sources.applications.imports import Place, place_of
from devinit.sources.applications.python import line_of
from devinit.sources.applications.python_source import Reading, Worker
from devinit.sources.applications.python_tasks import workers_of
from devinit.sources.applications.tree import Tree, joined, relative
from devinit.sources.applications.unit import Role, Unit
from devinit.sources.commands.programs import program_of, words_of

_DJANGO_WORKERS = (
    (re.compile(r"['\"]django_q['\"]"), "qcluster", "worker"),
    (re.compile(r"['\"]huey\.contrib\.djhuey['\"]"), "run_huey", "worker"),
    (re.compile(r"['\"]django_rq['\"]"), "rqworker default", "worker"),
    (re.compile(r"['\"]django_dramatiq['\"]"), "rundramatiq", "worker"),
)
"""Application in INSTALLED_APPS → the command of manage.py that runs its worker."""
_BEAT = re.compile(r"['\"]django_celery_beat['\"]|\bCELERY_BEAT_SCHEDULE\b")


def workers_in(tree: Tree, readings: Mapping[str, Reading], djangos: list[str]) -> Iterator[Unit]:
    """Yield the workers of a project: one for each tool and folder."""
    units = list(_of_the_code(tree, readings, djangos))
    yield from units
    known = {unit.folder for unit in units}
    for folder in tree.folders:
        if folder not in known and tree.has(folder, "pyproject.toml"):
            for command, evidence in workers_of(tree, folder):
                yield _unit(folder, "worker", command, program_of(words_of(command))[0], (evidence,))
                break


def _of_the_code(tree: Tree, readings: Mapping[str, Reading], djangos: list[str]) -> Iterator[Unit]:
    met: set[tuple[str, str]] = set()
    for folder in djangos:
        for file in settings_of(tree, folder):
            text = tree.text(file)
            for pattern, command, suffix in _DJANGO_WORKERS:
                if (found := pattern.search(text)) and (folder, suffix) not in met:
                    met.add((folder, suffix))
                    evidence = tree.seen("command", file, found.start())
                    yield _unit(
                        folder, suffix, f"python manage.py {command}", command.partition(" ")[0], (evidence,)
                    )
    for file, reading in readings.items():
        for worker in reading.workers:
            place = _django_place(file, djangos) or place_of(tree, file, reading)
            # Their programs have no option for an import folder: they run in it.
            folder = joined(place.folder, place.above) if place.above else place.folder
            if (folder, "worker") in met or worker.tool == "django_rq":
                continue
            met.add((folder, "worker"))
            evidence = line_of(tree, "command", file, worker.line)
            yield _unit(folder, "worker", _command(worker, place), worker.tool, (evidence,))
            beat = _beat_line(tree, readings, folder, djangos) if worker.tool == "celery" else None
            if beat is not None:
                command = f"celery -A {_target(worker, place)} beat --loglevel INFO"
                yield _unit(folder, "beat", command, "celery", (evidence, beat))


def _unit(folder: str, suffix: str, command: str, kind: str, evidence: tuple[Evidence, ...]) -> Unit:
    return Unit(
        folder=folder,
        role=Role.WORKER,
        kind=kind,
        language="python",
        suffix=suffix,
        command=command,
        evidence=evidence,
    )


def _django_place(file: str, djangos: list[str]) -> Place | None:
    """Return the place of a module in a Django project, whose modules are imported from beside manage.py."""
    inside = [folder for folder in djangos if not folder or file.startswith(f"{folder}/")]
    if not inside:
        return None
    folder = max(inside, key=len)
    names = relative(file, folder).with_suffix("").parts
    return Place(folder, "", ".".join(names)) if all(name.isidentifier() for name in names) else None


def _target(worker: Worker, place: Place) -> str:
    """Return the value for `-A` of Celery."""
    return place.module if worker.name in ("app", "celery") else f"{place.module}:{worker.name}"


def _command(worker: Worker, place: Place) -> str:
    target = f"{place.module}:{worker.name}"
    match worker.tool:
        case "celery":
            return f"celery -A {_target(worker, place)} worker --loglevel INFO"
        case "arq":
            return f"arq {place.module}.{worker.name}"
        case "huey":
            return f"huey_consumer {place.module}.{worker.name}"
        case "taskiq":
            return f"taskiq worker {target} --fs-discover"
        case "dramatiq":
            return f"dramatiq {place.module}"
        case _:
            return " ".join(("rq worker --url ${REDIS_URL}", *worker.words))


def _beat_line(
    tree: Tree, readings: Mapping[str, Reading], folder: str, djangos: list[str]
) -> Evidence | None:
    for file, reading in readings.items():
        if reading.has_beat and (not folder or file.startswith(f"{folder}/")):
            return line_of(tree, "command", file, 1)
    for django in djangos:
        if django == folder:
            for file in settings_of(tree, django):
                if found := _BEAT.search(tree.text(file)):
                    return tree.seen("command", file, found.start())
    return None
