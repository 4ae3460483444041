"""A `.env.example` beside which there is no `.env`: what has to be copied, and which values it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from devinit.masking.names import hides
from devinit.sources.files import read
from devinit.system.bounds import ENV_FILE, Bounds

NAMES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env")
_ASSIGNMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=(.*)$", re.MULTILINE)
_PLACEHOLDER = re.compile(
    r"""["']?(?:|<.*>|your[-_ ].*|change[-_ ]?(?:me|this|it).*|replace[-_ ]?(?:me|this|with).*|"""
    r"""x{3,}|todo|\.\.\.)["']?(?:[ \t]+\#.*)?""",
    re.IGNORECASE,
)
MOST_NAMES = 5


def missing_env_files(bounds: Bounds, folders: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each folder with an example of a `.env` and no `.env`, with the command that copies it."""
    for folder in dict.fromkeys((bounds.root, *folders)):
        if any(
            (folder / name).exists() for name in (ENV_FILE, f"{ENV_FILE}.local", f"{ENV_FILE}.development")
        ):
            continue
        example = next((folder / name for name in NAMES if (folder / name).is_file()), None)
        if example is None or not (text := read(example, bounds)):
            continue
        shown = example.relative_to(bounds.root)
        values = ((name, value.strip()) for name, value in _ASSIGNMENT.findall(text))
        secrets = [name for name, value in values if hides(name) and _PLACEHOLDER.fullmatch(value)]
        target = shown.with_name(ENV_FILE)
        yield f"{target} is missing; `cp {quote(str(shown))} {quote(str(target))}` makes it{_with(secrets)}"


def _with(secrets: list[str]) -> str:
    if not secrets:
        return ""
    more = " …" if len(secrets) > MOST_NAMES else ""
    return f", and these have no value in it: {', '.join(secrets[:MOST_NAMES])}{more}"
