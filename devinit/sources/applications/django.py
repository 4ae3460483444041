"""Recognise a Django project by a manage.py that names its settings."""

from __future__ import annotations

import re

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree, joined, parent, upwards
from devinit.sources.applications.unit import Finding, Role, Unit

_SETTINGS = re.compile(
    r"DJANGO_SETTINGS_MODULE['\"][ \t]{0,20}[\],][ \t]{0,20}=?[ \t]{0,20}['\"]([\w.]{1,200})['\"]"
)
_DJANGO = re.compile(r"DJANGO_SETTINGS_MODULE|\bdjango\b", re.IGNORECASE)
_DATABASES = re.compile(r"^[ \t]{0,40}DATABASES\b|\bDATABASES\s{0,20}=", re.MULTILINE)
_NO_DATABASES = re.compile(r"^DATABASES[ \t]{0,20}=[ \t]{0,20}\{\s{0,200}\}", re.MULTILINE)
_DEBUG = re.compile(
    r"^DEBUG[ \t]{0,9}=[ \t]{0,9}(?P<read>[^\n]{0,200}['\"]DEBUG['\"](?P<rest>[^\n]{0,200}))", re.MULTILINE
)
_DEFAULT_OF_DEBUG = re.compile(
    r"(?:default[ \t]{0,9}=|,(?![ \t]{0,9}(?:cast|default)\b))[ \t]{0,9}(?P<value>['\"]?\w{0,9}['\"]?)"
)
_COMPARED = re.compile(r"==[ \t]{0,9}['\"](?P<value>\w{1,9})['\"]")
_OFF = frozenset({"False", "false", "0", "", "no", "off", "None"})
_NOT_DEVELOPED = re.compile(r"(?:^|[/_.])(?:prod|production|test|tests|testing|ci|staging|deploy)(?:[_.]|$)")


def found_in(tree: Tree) -> Finding:
    """Return the Django projects: each folder with a manage.py of Django."""
    units = []
    for folder in tree.folders:
        file = joined(folder, "manage.py")
        text = tree.text(file)
        # A manage.py of another program names neither.
        if found := re.search(r"DJANGO_SETTINGS_MODULE", text) or _DJANGO.search(text):
            migrates = uses_database(tree, folder)
            units.append(
                Unit(
                    folder=folder,
                    role=Role.BACKEND,
                    kind="Django",
                    language="python",
                    command=f"python manage.py runserver {LOCAL_HOST}:${{PORT}}",
                    port=8000,
                    before_start=("python manage.py migrate --noinput",) if migrates else (),
                    env={"DEBUG": debug[0]} if (debug := _debug(tree, folder)) else {},
                    evidence=(tree.seen("command", file, found.start()), *(debug[1:] if debug else ())),
                )
            )
    return Finding(tuple(units))


def _debug(tree: Tree, folder: str) -> tuple[str, Evidence] | None:
    """Return the value that turns on debugging, if the settings turn it off and no `.env` sets it.

    Without it, Django refuses to start without a list of hosts, and serves no static files.
    """
    if any(re.search(r"^DEBUG\b", tree.text(joined(each, ".env")), re.MULTILINE) for each in upwards(folder)):
        return None
    for file in settings_of(tree, folder):
        text = tree.text(file)
        found = _DEBUG.search(text) if not _NOT_DEVELOPED.search(file) else None
        if found is None or not re.search(r"environ|getenv|config|env", found["read"]):
            continue
        default = _DEFAULT_OF_DEBUG.search(found["rest"])
        if default is not None and default["value"].strip("'\"") not in _OFF:
            return None
        compared = _COMPARED.search(found["rest"])
        value = compared["value"] if compared else "1" if "int(" in found["read"] else "True"
        return value, tree.seen("env", file, found.start())
    return None


def settings_of(tree: Tree, folder: str) -> list[str]:
    """Return the settings files that a manage.py names, with those beside them; empty when none exists."""
    found = _SETTINGS.search(tree.text(joined(folder, "manage.py")))
    if found is None:
        return []
    module = found[1].replace(".", "/")
    for base in (folder, joined(folder, "src")):
        package, single = joined(base, module), joined(base, f"{module}.py")
        beside = [package] if package in tree.files else [parent(single)]
        is_split = beside[0].rpartition("/")[2] == "settings"
        names = [name for name in tree.files.get(beside[0], ()) if name.endswith(".py")] if is_split else []
        files = [joined(beside[0], name) for name in names] or ([single] if tree.text(single) else [])
        if files:
            return files
    return []


def uses_database(tree: Tree, folder: str) -> bool:
    """Return whether the project has a database to migrate; only settings without a database rule it out."""
    texts = [tree.text(file) for file in settings_of(tree, folder)]
    if not any(texts):
        return True
    return any(_DATABASES.search(text) and not _NO_DATABASES.search(text) for text in texts)
