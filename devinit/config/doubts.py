"""Uncertain results of detection: each is one question with a safe default answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from devinit.kinds import kind_of
from devinit.model.service import Project, Service

NONE = ""
"""The answer that leaves no service out."""
_ONLY_NAMED = re.compile(r"\.env[\w.]{0,40}|(?:docker-)?compose[\w.]{0,40}\.ya?ml")
"""Files that name a server whether or not the code uses it."""


class Doubt(Struct, frozen=True):
    """A question about a detected service."""

    question: str
    choices: tuple[tuple[str, str], ...]
    """Pairs of the service that an answer leaves out (or NONE) and its text. The first one is the safe answer."""

    @property
    def safe(self) -> str:
        """The answer that counts if no user is asked."""
        return self.choices[0][0]


def doubts(project: Project) -> Iterator[Doubt]:
    """Yield questions that the user may answer better than the files of a project."""
    yield from _twins(project)
    for service in project.services.values():
        if not kind_of(service).runs_a_command:
            yield from _unused(service, project)
        elif service.once:
            yield Doubt(
                f"{service.name} runs `{service.command}` once on new data. Is it wanted?",
                ((NONE, "once, at the first start"), (service.name, "leave it out")),
            )


def _twins(project: Project) -> Iterator[Doubt]:
    """Yield programs that run the same command on the same port in two folders: usually copies."""
    first: dict[tuple[str, int], Service] = {}
    for service in project.services.values():
        if service.command is None or service.port is None:
            continue
        other = first.setdefault((service.command, service.port.preferred), service)
        if other is not service and other.directory != service.directory:
            folders = {each.name: _folder(each, project) for each in (other, service)}
            yield Doubt(
                f"{folders[other.name]} and {folders[service.name]} have the same program on port "
                f"{service.port.preferred}. Which one is started?",
                (
                    (NONE, f"both: {service.name} moves to another port"),
                    (service.name, f"{other.name} alone"),
                    (other.name, f"{service.name} alone"),
                ),
            )


def _unused(service: Service, project: Project) -> Iterator[Doubt]:
    """Yield a server that no package and no code of the project uses."""
    places = [each for each in project.evidence.get(service.name, ()) if each.about == "provider"]
    if places and all(_ONLY_NAMED.fullmatch(each.file.rpartition("/")[2]) for each in places):
        named = " and ".join(dict.fromkeys(each.place for each in places))
        yield Doubt(
            f"{service.name} is named in {named}, and no package of the code reaches it. Is it needed?",
            ((NONE, "start it"), (service.name, "leave it out")),
        )


def _folder(service: Service, project: Project) -> str:
    inside = service.directory.is_relative_to(project.root)
    name = service.directory.relative_to(project.root).as_posix() if inside else str(service.directory)
    return "this folder" if name == "." else f"{name}/"
