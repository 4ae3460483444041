"""The import path of devinit itself: its installation, without the current folder and those of PYTHONPATH.

Those folders are meant for the programs of a project, and lead into its repository. A `logging.py`
there would break devinit, and would run even if a command only reads the project. devinit cannot
control what Python loads before it.
"""

from __future__ import annotations

import os
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder of devinit itself."""


def keep_to_installation() -> None:
    """Import no more modules from the current folder and from folders that only PYTHONPATH names."""
    foreign = _foreign()
    if not foreign.isdisjoint(sys.path):
        # Folders that an editable installation names too are kept, after everything that they could shadow.
        named = _named_by_installation()
        sys.path[:] = [each for each in sys.path if each not in foreign] + [
            each for each in sys.path if each in foreign & named
        ]


def options() -> tuple[str, ...]:
    """Return the options with which our Python runs devinit in another process."""
    # PYTHONHOME tells a relocated Python its place, and -E would ignore that as well.
    ignores = os.environ.get("PYTHONPATH") and _foreign() and not os.environ.get("PYTHONHOME")
    return ("-P", "-E") if ignores else ("-P",)


def _foreign() -> set[str]:
    """Return the entries of `sys.path` that are no installation; none if devinit itself lies in one of them."""
    names = os.environ.get("PYTHONPATH", "")
    found = {""} | {os.path.abspath(each) for each in names.split(os.pathsep) if names}
    if not sys.flags.safe_path:
        found.add(os.path.abspath(""))
    return set() if os.path.dirname(PACKAGE) in found else found - {_library(), *_packages()}


def _library() -> str:
    return os.path.dirname(os.path.abspath(os.__file__))


def _packages() -> list[str]:
    import site  # loaded already, unless Python was told not to

    return [*site.getsitepackages(), site.getusersitepackages()]


def _named_by_installation() -> set[str]:
    """Return the folders that `.pth` files next to installed packages name."""
    from devinit.errors import StateFileError  # where PYTHONPATH or the current folder could shadow something
    from devinit.system.files import read_bytes

    found: set[str] = set()
    for folder in _packages():
        names = os.listdir(folder) if os.path.isdir(folder) else ()
        for name in names:
            if name.endswith(".pth"):
                try:
                    content = read_bytes(os.path.join(folder, name)) or b""
                except StateFileError:
                    continue  # Python could not read it either
                found |= {os.fsdecode(line.strip()) for line in content.splitlines()}
    return found
