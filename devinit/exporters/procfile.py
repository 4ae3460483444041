"""Export a Procfile with a line for each service, for foreman, honcho and similar programs."""

from __future__ import annotations

import re

from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.shell import NEEDS_RUNTIME, left_out, line_of, not_in_runtime, runnable
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Reader, Resolved, ResolvedService, Role

PATH = "Procfile.dev"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def render(resolved: Resolved) -> Export:
    """Return one file. A Procfile has no jobs: the first process that ends stops all of them."""
    options = f"-f {PATH} -e {ENVIRONMENT_FILE}"
    how = f"honcho {options} start, or foreman start {options}"
    lines = [f"# Start it with: {how}", f"# {NEEDS_RUNTIME}."]
    notes = [f"start it with: {how}", *not_in_runtime(resolved), *left_out(resolved)]
    for service in runnable(resolved):
        line, problem = line_of(service, resolved), problem_of(service)
        if "\n" in line:
            notes.append(f"{service.name} is left out: its command or one of its values has several lines")
        elif problem:
            lines.append(f"# {service.name}: {line}")
            notes.append(f"{service.name} stands in a comment: {problem}")
        else:
            lines.append(f"{service.name}: {line}")
    text = "".join(f"{line}\n" for line in lines)
    return Export(files=(File(path=PATH, text=text),), notes=tuple(notes))


def problem_of(service: ResolvedService) -> str:
    """Return why a service cannot be a process of a Procfile; "" when it can."""
    if service.role is Role.JOB:
        return "it ends when its work is done, which would end the others"
    if not service.autostart:
        return "it starts by its name alone"
    return "" if _NAME.fullmatch(service.name) else "a Procfile has no such names"


EXPORTER = Exporter(name="procfile", reader=Reader.MACHINE, path=PATH, render=render)
