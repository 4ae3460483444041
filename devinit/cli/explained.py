"""Explain what was detected in a repository: each service with the lines that it was read from."""

from __future__ import annotations

from devinit.text import cut, one_line, pad, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinit.model.service import Project, Service

LONGEST_WORDS = 100
"""Columns of an evidence line that are shown; the rest is rarely needed to find the line."""


def explanation(project: Project, mask: Callable[[str], str]) -> Iterator[str]:
    """Yield the detected services and their evidence as lines of text. Lines are masked before they are cut."""
    for service in project.services.values():
        yield mask(one_line(f"{service.name}  {_what(service)}"))
        lines = _lines(service, project)
        longest = max((width(place) for place, _ in lines), default=0)
        for (place, words), keys in lines.items():
            yield f"  {pad(place, longest)}  {', '.join(keys)}: {cut(mask(words), LONGEST_WORDS)}".rstrip(
                ": "
            )


def _lines(service: Service, project: Project) -> dict[tuple[str, str], list[str]]:
    """Return (place, text) of each line that a service was read from, with the keys that it is evidence for."""
    lines: dict[tuple[str, str], list[str]] = {}
    for each in project.evidence.get(service.name, ()):
        lines.setdefault((one_line(each.place), one_line(each.says)), []).append(each.about)
    return lines


def as_json(project: Project) -> dict[str, object]:
    """Return the detected services, their evidence and the notes as a JSON object."""
    return {
        "services": {
            service.name: {
                "provider": service.provider,
                "command": service.command,
                "directory": str(service.directory),
                "port": service.port and service.port.preferred,
                "depends_on": list(service.depends_on),
                "evidence": evidence_of(service.name, project),
            }
            for service in project.services.values()
        },
        "notes": list(project.notes),
    }


def evidence_of(name: str, project: Project) -> list[dict[str, str | int | None]]:
    """Return the lines that a service was read from; `line` counts from 1, None means the whole file."""
    return [
        {"about": each.about, "file": each.file, "line": each.line or None, "says": one_line(each.says)}
        for each in project.evidence.get(name, ())
    ]


def _what(service: Service) -> str:
    port = "" if service.port is None else f" on port {service.port.preferred}"
    return f"{service.command or service.provider}{port}"
