"""Print the services that devinit detects in folders, with evidence, as a Markdown table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from devinit.config.detected import detect
from devinit.model.service import Project, Service
from devinit.text import cut, one_line

LONGEST = 100
"""Maximum characters of a cell."""
HEAD = ("repository", "service", "command", "port", "read from")


def main(folders: list[str]) -> int:
    """Print a table of these folders, with the notes below it. Return 2 without any folder."""
    if not folders:
        print("scripts/survey DIR…", file=sys.stderr)
        return 2
    projects = [detect(Path(folder)) for folder in sorted(folders)]
    print_row(HEAD)
    print_row(["---"] * len(HEAD))
    for project in projects:
        for row in rows(project):
            print_row(row)
    for project in projects:
        for note in project.notes:
            print(f"\n- {project.root.name}: {one_line(note)}", end="")
    print()
    return 0


def print_row(cells: Iterator[str] | tuple[str, ...] | list[str]) -> None:
    """Print a row of the table."""
    print(f"| {' | '.join(cut(one_line(cell), LONGEST).replace('|', chr(92) + '|') for cell in cells)} |")


def rows(project: Project) -> Iterator[tuple[str, ...]]:
    """Yield a row for each service, or a single row for a repository without any."""
    name = project.root.name
    if not project.services:
        yield name, "", "nothing is found", "", ""
    for service in project.services.values():
        command = f"`{service.command}`" if service.command else service.provider
        yield name, service.name, command, port_of(service), places_of(service, project)
        name = ""


def port_of(service: Service) -> str:
    """Return the preferred port of a service, with "fixed" if it cannot move."""
    if service.port is None:
        return ""
    return f"{service.port.preferred}{', fixed' if service.port.strict else ''}"


def places_of(service: Service, project: Project) -> str:
    """Return the places from which a service was read."""
    return "; ".join(dict.fromkeys(each.place for each in project.evidence.get(service.name, ())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
