"""Commands that install the packages of a service, if clearly none are installed.

Nothing is installed without the user's consent. A service that cannot start reports the command, and `start
--setup` runs it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from devinit.errors import StateFileError
from devinit.kinds.command import command_spec, first_words
from devinit.kinds.process.run_modules import INTERPRETERS, is_module_in, modules_of
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.system.bounds import bounds_within
from devinit.system.files import BYTE_ORDER_MARK, read_bytes
from devinit.toolchains.fingerprint import found_on, is_callers_choice
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.node.managers import (
    INSTALLED,
    LOCKED_BY,
    MANAGERS,
    install_with,
    install_without,
    manager_that_runs,
)
from devinit.toolchains.node.workspaces import PNPM_FILE, is_member, stated_patterns
from devinit.toolchains.python.environments import (
    environments,
    has_environment,
    interpreter_is_gone,
    may_have_module,
)
from devinit.toolchains.python.installers import PYPROJECT, Installer, installer_of, is_declared

_WITH_NAMES = frozenset(("requirements.txt", "requirement.txt", "requirements/base.txt", PYPROJECT))
"""Files that declare packages without locking them."""
_IMPORT_PATH = "PYTHONPATH"
_IMPORT_SECONDS = 5.0
_LOOKING = """
import sys
sys.path[:] = [each for each in sys.path if each]
import importlib.util
sys.exit(importlib.util.find_spec({module!r}) is None)
"""
"""Python searches the working directory first, and a repository may contain an `importlib`."""


class _Package(Struct, frozen=True, rename="camel"):
    """The relevant part of a package.json."""

    dependencies: dict[str, str] = msgspec.field(default_factory=dict)
    dev_dependencies: dict[str, str] = msgspec.field(default_factory=dict)


def may_lack_packages(service: Service, place: Place) -> bool:
    """Whether `install_of` needs to run an interpreter."""
    return bool(modules_of(service)) and not _has_environment(service, place)


def install_of(service: Service, place: Place) -> Install | None:
    """Return the command that installs the packages of a service; None if nothing is clearly missing."""
    if service.external_url is not None:
        return None
    first = _of_node(service, place) or _of_broken_environment(service, place)
    if first is not None:
        return first
    if _has_environment(service, place):
        return _of_environment(service, place)
    return _of_python(service, place, _lacking_module) or install_for_program(service, place)


def install_for_program(service: Service, place: Place, path: str | None = None) -> Install | None:
    """Return the command that installs the program of a service, if a PATH (by default the caller's) lacks it."""

    def lacking(service: Service, place: Place) -> str | None:
        return _lacking_program(service, path if path is not None else _path_of(service, place))

    return _of_python(service, place, lacking)


def install_of_declared(service: Service, place: Place) -> Install | None:
    """Return the command that installs the packages that a project declares, if its interpreter lacks one of them.

    This is less certain than the others, so no start is refused for it: a declared package may not be needed.
    """
    if service.external_url is not None:
        return None
    return _of_a_file(service, place) or _of_python(service, place, _lacking_package)


def _of_a_file(service: Service, place: Place) -> Install | None:
    """Return the command that installs the packages for a file that Node runs; it may need none of them."""
    is_run = _runs_by_node(first_words(service.command or "")) and _declares_packages(service.directory)
    return _of_packages(_manager_of(service), service, place) if is_run else None


def _of_node(service: Service, place: Place) -> Install | None:
    manager = node_manager(service)
    return _of_packages(manager, service, place) if manager is not None else None


def _of_packages(manager: str, service: Service, place: Place) -> Install | None:
    if node_packages(service, place) is not None:
        return None
    return Install(
        folder=_workspace_of(service, place),
        command=_node_install(manager, service, place),
        missing=f"the packages of {service.name} are not installed: {service.directory} has no node_modules",
    )


def node_manager(service: Service) -> str | None:
    """Return the manager that installs the packages in a service's package.json; None if it needs none."""
    manager = manager_that_runs(first_words(service.command or ""))
    return manager if manager is not None and _declares_packages(service.directory) else None


def _runs_by_node(words: tuple[str, ...]) -> bool:
    """Whether a command runs a file of a package: `node app.js`, `npx --no-install nodemon app.js`."""
    return words[:1] == ("node",) or words[:2] == ("npx", "--no-install")


def _manager_of(service: Service) -> str:
    """Return the package manager that the package in a service's folder names, or whose lock file exists."""
    named = _json_in(service.directory / "package.json").get("packageManager")
    name = named.partition("@")[0] if isinstance(named, str) else ""
    locked = (each for file, each in LOCKED_BY.items() if (service.directory / file).exists())
    return name if name in MANAGERS else next(locked, "npm")


def names_what_it_lacks(service: Service, path: str) -> bool:
    """Whether the start of a service itself reports that its packages are missing.

    A command of an interpreter (`python app.py`), or of a program on this machine, ends with an error of its own.
    """
    words = first_words(service.command or "")
    if node_manager(service) is not None:
        return True
    is_program = bool(words) and words[0] not in INTERPRETERS and not _runs_by_node(words)
    return is_program and found_on(path, words[0]) is None


def node_packages(service: Service, place: Place) -> Path | None:
    """Return the folder of a service's installed packages; None if there is none.

    A workspace keeps its packages at the root.
    """
    places = (folder / name for folder in up_to_root(service.directory, place.root) for name in INSTALLED)
    return next((path for path in places if path.exists()), None)


def _workspace_of(service: Service, place: Place) -> Path:
    """Return the root of the workspace that contains a service's package, where its packages are installed."""
    for above in up_to_root(service.directory, place.root)[1:]:
        if service.directory.is_relative_to(above):
            patterns = stated_patterns(_json_in(above / "package.json"), _text_in(above, PNPM_FILE))
            if is_member(service.directory.relative_to(above).as_posix(), [*patterns]):
                return above
    return service.directory


def _json_in(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; empty for any other file (Any: nothing about it has been checked)."""
    try:
        content = (read_bytes(path) or b"").removeprefix(BYTE_ORDER_MARK)
        return msgspec.json.decode(content, type=dict[str, Any])
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return {}


def _node_install(manager: str, service: Service, place: Place) -> str:
    if found_on(_path_of(service, place), manager) is not None:
        return install_with(manager)
    from devinit.toolchains.node.asking import manager_version  # only where it is missing

    texts = (_text_in(folder, "package.json") for folder in up_to_root(service.directory, place.root))
    return install_without(
        manager, next(filter(None, (manager_version(manager, text) for text in texts)), None)
    )


def _declares_packages(folder: Path) -> bool:
    try:
        content = (read_bytes(folder / "package.json") or b"").removeprefix(BYTE_ORDER_MARK)
        declared = msgspec.json.decode(content, type=_Package)
    except (StateFileError, msgspec.DecodeError, RecursionError):
        # The package manager reports what is wrong with the file.
        return False
    return bool(declared.dependencies or declared.dev_dependencies)


def _of_python(
    service: Service, place: Place, lacking: Callable[[Service, Place], str | None]
) -> Install | None:
    made = python_setup(service, place)
    if made is None or _has_environment(service, place):
        return None
    folder, installer = made
    missing = lacking(service, place)
    if missing is None:
        return None
    from devinit.kinds.process.comparison import python_install  # only where something has to be installed

    cure, lacks = python_install(service, place, installer)
    return Install(
        folder=folder,
        command=cure.command,
        missing=f"{missing} was not found, and {folder} has no virtual environment{lacks}",
        is_by_hand=not cure.is_automatic,
        words=cure.command if cure.is_words else "",
    )


def python_setup(service: Service, place: Place) -> tuple[Path, Installer] | None:
    """Return the folder that declares a service's Python packages, and their installer."""
    return installer_of(up_to_root(service.directory, place.root), _has, _text_in)


def _of_broken_environment(service: Service, place: Place) -> Install | None:
    """Return the command that recreates an environment without interpreter; another Python would run instead."""
    commands = (*service.before_start, service.command or "")
    programs = [words[0] for command in commands if (words := first_words(command))]
    for above in up_to_root(service.directory, place.root):
        for environment in environments(above):
            is_used = any(
                name in INTERPRETERS or os.path.lexists(environment / "bin" / name) for name in programs
            )
            if not is_used or not interpreter_is_gone(environment):
                continue
            made = python_setup(service, place)
            if made is None:
                return None
            from devinit.kinds.process.comparison import python_install  # as below

            folder, installer = made
            cure, lacks = python_install(service, place, installer)
            return Install(
                folder=folder,
                command=cure.command.replace("-m venv .venv", "-m venv --clear .venv"),
                missing=f"{environment} has no interpreter any more{lacks}",
                is_by_hand=not cure.is_automatic,
                words=cure.command if cure.is_words else "",
            )
    return None


def _of_environment(service: Service, place: Place) -> Install | None:
    """Return the command that completes an environment which lacks a declared program or module."""
    folders = up_to_root(service.directory, place.root)
    found = next(each for above in folders for each in environments(above))
    program = _lacking_program(service, _path_of(service, place))
    modules = dict.fromkeys(
        each
        for _, each in modules_of(service)
        if not may_have_module(found, each) and not is_module_in(service.directory, each)
    )
    lacking = [*([program] if program is not None else []), *modules]
    if not lacking or _has_import_path(service, place):
        return None
    made = python_setup(service, place)
    if made is None:
        return None
    folder, installer = made
    declared = f"{_text_in(folder, installer.file)}\n{_text_in(folder, PYPROJECT)}"
    missing = next((each for each in lacking if is_declared(each, declared)), None)
    if missing is None:
        return None
    return Install(
        folder=folder,
        command=installer.into(os.path.relpath(found, folder), has_pip=(found / "bin/pip").exists()),
        missing=f"{'' if missing == program else 'the module '}{missing} is not installed in {found}",
    )


def _has(folder: Path, name: str) -> bool:
    return os.path.exists(f"{folder}/{name}")  # noqa: PTH110 - asked many times for each service


def _text_in(folder: Path, name: str) -> str:
    try:
        return (read_bytes(folder / name) or b"").removeprefix(BYTE_ORDER_MARK).decode(errors="replace")
    except StateFileError:
        return ""


def _has_environment(service: Service, place: Place) -> bool:
    return any(has_environment(folder) for folder in up_to_root(service.directory, place.root))


def _path_of(service: Service, place: Place) -> str:
    return command_spec("true", service, place, place.environment).environment.get("PATH", os.defpath)


def _lacking_program(service: Service, path: str) -> str | None:
    """Return the program of a service that a PATH lacks; None if there is none, or the line is not simple."""
    words = first_words(service.command or "")
    if not words or "/" in words[0] or "$" in words[0] or "=" in words[0]:
        return None
    return None if found_on(path, words[0]) else words[0]


def _lacking_module(service: Service, place: Place) -> str | None:
    """Return a module that a service's commands run and that their interpreter lacks."""
    if _has_import_path(service, place):
        return None
    for program, module in modules_of(service):
        found = found_on(_path_of(service, place), program)
        if found is not None and not _imports(found, module, service.directory, place):
            return f"the module {module}"
    return None


def _lacking_package(service: Service, place: Place) -> str | None:
    """Return a package that the project declares and that the service's interpreter lacks."""
    import shutil  # as above

    from devinit.kinds.process import declared  # `start --setup` alone asks

    commands = (*service.before_start, service.command or "")
    if _has_import_path(service, place) or not any(
        declared.PROGRAMS.intersection(first_words(command)[:1]) for command in commands
    ):
        return None
    made = python_setup(service, place)
    path = _path_of(service, place)
    python = shutil.which("python3", path=path) or shutil.which("python", path=path)
    if made is None or python is None:
        return None
    folder, installer = made
    file = installer.file
    name = declared.lacking(folder / file, python, place.environment) if file in _WITH_NAMES else None
    return None if name is None else f"the package {name}"


def _has_import_path(service: Service, place: Place) -> bool:
    """Whether a service may find modules elsewhere: PYTHONPATH may come from the caller, its `env`, or a file."""
    if service.env_file or _IMPORT_PATH in service.env or _IMPORT_PATH in place.environment:
        return True
    files = dict.fromkeys((place.root / ".env", service.directory / ".env"))
    return any(_IMPORT_PATH in _text(file) for file in files)


def _text(path: Path) -> str:
    try:
        # A named pipe of a secret manager can be read only once, and not here.
        return _IMPORT_PATH if path.is_fifo() else (read_bytes(path) or b"").decode(errors="replace")
    except StateFileError:
        return _IMPORT_PATH


def _imports(program: str, module: str, folder: Path, place: Place) -> bool:
    """Whether an interpreter finds a module from a service's folder. True if it cannot be asked."""
    is_of_repository = bounds_within(place.root, folder).contains(program)
    is_chosen_by_it = place.only_looks and not is_callers_choice(program, place.environment)
    if is_of_repository or is_chosen_by_it or is_module_in(folder, module):
        return True
    try:
        asked = subprocess.run(
            [program, "-c", _LOOKING.format(module=module)],
            cwd=folder,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return asked.returncode != 1
