"""Secrets, and addresses of MongoDB, that a server of Node reads and that no file of the project names.

The server starts without one all the same, and each login fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from devinit.sources.applications.tree import Tree
from devinit.sources.applications.unit import Role, Unit, at

_SUFFIXES = (".js", ".ts", ".mjs", ".cjs")
_MARK = "process.env."
_READ = re.compile(
    r"(?<![!.\w])process\.env\.(?P<name>(?:[A-Z0-9]{1,30}_){0,4}(?:SECRET(?:_KEY)?|JWT_KEY|SESSION_KEY)"
    r"|MONGO(?:DB|OSE)?(?:_[A-Z0-9]{1,20}){0,3})(?!\w)"
    r"!?(?!\s{0,40}(?:\|\||\?\?|\?[^.]|&&|[!=]=|=[^=>]))"
)
"""A read without anything that stands in for it, that is no question either whether it is there."""
_OF_OTHERS = re.compile(r"CLIENT_|API_|WEBHOOK_|STRIPE_|AWS_|CLOUDINARY_|GITHUB_|GOOGLE_")
"""Those that only another company gives: the program may do without what they open."""
_TESTS = re.compile(r"(?:\A|/)(?:tests?|__tests__|specs?|e2e|scripts)/|\.(?:test|spec|config)\.\w{2,3}\Z")
_SAYING = re.compile(r"\A\.env|\.env\Z|compose|\A(?:Docker|Proc|Make)file|\.(?:toml|ya?ml|json)\Z")
"""Files that may give a value, or that say to a person which one to give."""
_MOST_NAMES = 5


def unset_secrets(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note for each server that reads such secrets."""
    told: set[str] = set()
    for unit in units:
        if unit.language != "node" or unit.role is not Role.BACKEND or unit.folder in told:
            continue
        told.add(unit.folder)
        names = dict(_read_in(tree, unit.folder))
        missing = [name for name in names if not _is_said(tree, name)]
        if missing:
            more = " …" if len(missing) > _MOST_NAMES else ""
            yield (
                f"{at(unit.folder)}{names[missing[0]]} reads {', '.join(missing[:_MOST_NAMES])}{more}, "
                "which nothing gives: put a value of your own into .env"
            )


def _read_in(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """Yield each name that is read below a folder, with the file."""
    seen: set[str] = set()
    for file in tree.sources(folder, _SUFFIXES):
        inside = file.removeprefix(f"{folder}/") if folder else file
        text = "" if _TESTS.search(inside) else tree.text(file)
        if _MARK not in text:
            continue
        for found in _READ.finditer(text):
            name = found["name"]
            is_given = re.search(rf"process\.env\.{name}\s{{0,9}}(?:\|\||\?\?|=[^=>])", text) is not None
            if name not in seen and not is_given and not _OF_OTHERS.search(name):
                seen.add(name)
                yield name, inside


def _is_said(tree: Tree, name: str) -> bool:
    return any(
        re.search(rf"\b{name}\b", tree.text(f"{folder}/{each}" if folder else each)) is not None
        for folder, names in tree.files.items()
        for each in names
        if _SAYING.search(each) and not each.endswith("-lock.json")
    )
