"""Recognise a Django project by the manage.py that names its settings."""

from __future__ import annotations

import re

from devinit.model.defaults import LOCAL_HOST
from devinit.sources.applications.tree import Tree, joined, parent
from devinit.sources.applications.unit import Finding, Role, Unit

_SETTINGS = re.compile(
    r"DJANGO_SETTINGS_MODULE['\"][ \t]{0,20}[\],][ \t]{0,20}=?[ \t]{0,20}['\"]([\w.]{1,200})['\"]"
)
_DJANGO = re.compile(r"DJANGO_SETTINGS_MODULE|\bdjango\b", re.IGNORECASE)
_DATABASES = re.compile(r"^[ \t]{0,40}DATABASES\b|\bDATABASES\s{0,20}=", re.MULTILINE)
_NO_DATABASES = re.compile(r"^DATABASES[ \t]{0,20}=[ \t]{0,20}\{\s{0,200}\}", re.MULTILINE)


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
                    evidence=(tree.seen("command", file, found.start()),),
                )
            )
    return Finding(tuple(units))


def settings_of(tree: Tree, folder: str) -> list[str]:
    """Return the files of the settings that a manage.py names, with those beside them; none when none is found."""
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
    """Tell whether there is a database to bring up to date: only settings without one say no."""
    texts = [tree.text(file) for file in settings_of(tree, folder)]
    if not any(texts):
        return True
    return any(_DATABASES.search(text) and not _NO_DATABASES.search(text) for text in texts)
