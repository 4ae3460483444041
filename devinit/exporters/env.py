"""Export the runtime environment as a .env file for other programs, without passwords."""

from __future__ import annotations

import re

from devinit.exporters.exporter import Export, Exporter, File
from devinit.model.resolved import Reader, Resolved, Value

_BARE = re.compile(r"[\w.:/@%+,=~-]*", re.ASCII)


def render(resolved: Resolved) -> Export:
    """Return one file, in which values with a password refer to the variable that holds the password."""
    lines, missing = [], []
    for name, value in resolved.environment.items():
        if value.variables == (name,):
            missing.append(name)
            lines.append(f"# {name}=")
        else:
            lines.append(f"{name}={_written(value)}")
    notes = [f"not written, being secret: {', '.join(missing)}; `devinit env` prints them"] if missing else []
    text = "".join(f"{line}\n" for line in lines)
    return Export(files=(File(path=".env", text=text),), notes=tuple(notes))


def _written(value: Value) -> str:
    text = value.written(lambda name: f"${{{name}}}")
    if not value.variables and _BARE.fullmatch(text):
        return text
    if not value.variables and "'" not in text and "\n" not in text:
        return f"'{text}'"
    escaped = value.written(
        lambda name: f"${{{name}}}",
        lambda each: re.sub(r'([\\"$`])', r"\\\1", each).replace("\n", "\\n"),
    )
    return f'"{escaped}"'


EXPORTER = Exporter(name="env", reader=Reader.MACHINE, path=".env", render=render)
