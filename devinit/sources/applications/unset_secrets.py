"""Report secrets and MongoDB addresses that a Node server reads and that no file provides.

Without a secret, the server starts all the same, and every login fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from devinit.sources.applications.tree import Tree
from devinit.sources.applications.ungiven import SAYING, is_said, note_of, servers_in
from devinit.sources.applications.unit import Unit

_SUFFIXES = (".js", ".ts", ".mjs", ".cjs")
_MARK = "process.env."
_READ = re.compile(
    r"(?<![!.\w])process\.env\.(?P<name>(?:[A-Z0-9]{1,30}_){0,4}(?:SECRET(?:_KEY)?|JWT_KEY|SESSION_KEY)"
    r"|MONGO(?:DB|OSE)?(?:_[A-Z0-9]{1,20}){0,3})(?!\w)"
    r"!?(?!\s{0,40}(?:\|\||\?\?|\?[^.]|&&|[!=]=|=[^=>]))"
)
"""Matches a read without a default that does not just check whether the variable is set."""
_OF_OTHERS = re.compile(r"CLIENT_|API_|WEBHOOK_|STRIPE_|AWS_|CLOUDINARY_|GITHUB_|GOOGLE_")
"""Matches variables of third parties: the program may work without their services."""
_TESTS = re.compile(r"(?:\A|/)(?:tests?|__tests__|specs?|e2e|scripts)/|\.(?:test|spec|config)\.\w{2,3}\Z")
_SAYING = re.compile(rf"{SAYING}|\.json\Z")


def unset_secrets(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note for each server that reads such variables."""
    for folder in servers_in("node", units):
        names = dict(_read_in(tree, folder))
        missing = [name for name in names if not is_said(tree, re.compile(rf"\b{name}\b"), _SAYING)]
        if missing:
            yield note_of(folder, names[missing[0]], "reads", missing, ".env")


def _read_in(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """Yield each variable that is read below a folder, with the first file that reads it."""
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
                yield name, file
