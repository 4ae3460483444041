"""What makes the packages that a service needs, where evidently none are installed.

Nothing is installed unasked. The command is named when the service cannot start, and run by `start --setup`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import StateFileError
from devinit.kinds.command import command_spec, first_words, has_environment, up_to_root
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.system.files import BYTE_ORDER_MARK, read_bytes

NODE_RUNNERS = {"npm": "npm install", "pnpm": "pnpm install", "yarn": "yarn install", "bun": "bun install"}
INSTALLING = frozenset(("install", "i", "ci", "add", "clean-install", "dlx", "create", "init"))
ELSEWHERE = frozenset(("--prefix", "-C", "--dir", "--cwd"))
"""Options that make a package manager work in another folder."""
PYTHON_SETUPS = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "Pipfile.lock": "pipenv install --dev",
    "requirements.txt": "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
    "pyproject.toml": "python3 -m venv .venv && .venv/bin/pip install -e .",
}
"""What a Python project declares its dependencies in → the command that installs them; the first wins."""
_LOCK_FILES = frozenset(("uv.lock", "poetry.lock", "Pipfile.lock"))
_WITH_NAMES = frozenset(("requirements.txt", "pyproject.toml"))
_INTERPRETERS = frozenset(("python", "python3"))
_INSTALLABLE = re.compile(rb"^\[(?:project|tool\.poetry)\]", re.MULTILINE)
"""A pyproject.toml without one of these has the settings of tools, and nothing to install."""
_IMPORT_PATH = "PYTHONPATH"
_IMPORT_SECONDS = 5.0


class _Package(Struct, frozen=True, rename="camel"):
    """What of a package.json matters here."""

    dependencies: dict[str, str] = msgspec.field(default_factory=dict)
    dev_dependencies: dict[str, str] = msgspec.field(default_factory=dict)


def may_lack_packages(service: Service, place: Place) -> bool:
    """Whether `install_of` has to run an interpreter to tell."""
    return bool(_modules(service)) and not _has_environment(service, place)


def install_of(service: Service, place: Place) -> Install | None:
    """Return what installs the packages that a service needs; None where nothing is evidently missing."""
    if service.external_url is not None:
        return None
    return (
        _of_node(service, place)
        or _of_python(service, place, _lacking_module)
        or install_for_program(service, place)
    )


def install_for_program(service: Service, place: Place, path: str | None = None) -> Install | None:
    """Return what installs the program of a service, where a PATH does not have it: by default the caller's."""

    def lacking(service: Service, place: Place) -> str | None:
        return _lacking_program(service, path if path is not None else _path_of(service, place))

    return _of_python(service, place, lacking)


def install_of_declared(service: Service, place: Place) -> Install | None:
    """Return what installs the packages that a Python project declares, where its interpreter lacks one of them.

    Less certain than the others, so nothing is refused for it: a package may be declared, and not be needed.
    """
    if service.external_url is not None:
        return None
    return _of_python(service, place, _lacking_package)


def _of_node(service: Service, place: Place) -> Install | None:
    install = node_setup(service)
    if install is None or node_packages(service, place) is not None:
        return None
    return Install(
        folder=service.directory,
        command=install,
        missing=f"the packages of {service.name} are not installed: {service.directory} has no node_modules",
    )


def node_setup(service: Service) -> str | None:
    """Return what installs the packages that a service's package.json declares; None where it needs none."""
    words = first_words(service.command or "")
    install = NODE_RUNNERS.get(words[0]) if words else None
    if install is None or ELSEWHERE.intersection(words) or INSTALLING.intersection(words[1:3]):
        return None
    return install if _declares_packages(service.directory) else None


def node_packages(service: Service, place: Place) -> Path | None:
    """Return where a service's packages are installed; None where they are not.

    A workspace keeps its packages at the root; Yarn's Plug'n'Play has a file instead of the folder.
    """
    for folder in (service.directory, *_up_to(service.directory, place.root)):
        for name in ("node_modules", ".pnp.cjs"):
            if (folder / name).exists():
                return folder / name
    return None


def _declares_packages(folder: Path) -> bool:
    try:
        content = (read_bytes(folder / "package.json") or b"").removeprefix(BYTE_ORDER_MARK)
        declared = msgspec.json.decode(content, type=_Package)
    except (StateFileError, msgspec.DecodeError, RecursionError):
        # Not ours to judge: the package manager says what is wrong with it.
        return False
    return bool(declared.dependencies or declared.dev_dependencies)


def _up_to(folder: Path, root: Path) -> list[Path]:
    above = list(folder.parents)
    return above[: above.index(root) + 1] if root in above else []


def _of_python(
    service: Service, place: Place, lacking: Callable[[Service, Place], str | None]
) -> Install | None:
    made = python_setup(service, place)
    if made is None or _has_environment(service, place):
        return None
    folder, command = made
    missing = lacking(service, place)
    if missing is None:
        return None
    return Install(
        folder=folder,
        command=command,
        missing=f"{missing} was not found, and {folder} has no virtual environment",
    )


def python_setup(service: Service, place: Place) -> tuple[Path, str] | None:
    """Return where a service's Python packages are declared, the nearest folder first, and what installs them.

    What locks them counts more: a workspace is installed at its root, whatever its members declare.
    """
    folders = up_to_root(service.directory, place.root)
    locks = [(folder, file) for folder in folders for file in PYTHON_SETUPS if file in _LOCK_FILES]
    others = [(folder, file) for folder in folders for file in PYTHON_SETUPS if file not in _LOCK_FILES]
    for folder, file in (*locks, *others):
        if (folder / file).exists() and (file != "pyproject.toml" or _is_installable(folder / file)):
            return folder, _of_workspace(folder, PYTHON_SETUPS[file])
    return None


def _of_workspace(folder: Path, install: str) -> str:
    """Return a command that installs the members of a workspace of uv as well."""
    if install != PYTHON_SETUPS["uv.lock"]:
        return install
    try:
        declared = read_bytes(folder / "pyproject.toml") or b""
    except StateFileError:
        return install
    return f"{install} --all-packages" if b"[tool.uv.workspace]" in declared else install


def _is_installable(path: Path) -> bool:
    try:
        return _INSTALLABLE.search(read_bytes(path) or b"") is not None
    except StateFileError:
        return False


def _has_environment(service: Service, place: Place) -> bool:
    return any(has_environment(folder) for folder in up_to_root(service.directory, place.root))


def _path_of(service: Service, place: Place) -> str:
    return command_spec("true", service, place, place.environment).environment.get("PATH", os.defpath)


def _lacking_program(service: Service, path: str) -> str | None:
    """Return the program of a service that a PATH does not have; None when it has it, or the line is not plain."""
    import shutil  # 2 ms that the supervisor's start does not pay

    words = first_words(service.command or "")
    if not words or "/" in words[0] or "$" in words[0] or "=" in words[0]:
        return None
    return None if shutil.which(words[0], path=path) else words[0]


def _lacking_module(service: Service, place: Place) -> str | None:
    """Return a module that the commands of a service run, and that their interpreter does not have."""
    import shutil  # as above

    if _has_import_path(service, place):
        return None
    for program, module in _modules(service):
        found = shutil.which(program, path=_path_of(service, place))
        if found is not None and not _imports(found, module, service.directory, place):
            return f"the module {module}"
    return None


def _lacking_package(service: Service, place: Place) -> str | None:
    """Return a package that the project declares, and that the interpreter of a service does not have."""
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
    folder, command = made
    file = next((file for file, setup in PYTHON_SETUPS.items() if setup == command), None)
    name = declared.lacking(folder / file, python, place.environment) if file in _WITH_NAMES else None
    return None if name is None else f"the package {name}"


def _has_import_path(service: Service, place: Place) -> bool:
    """Whether a service may find modules elsewhere: PYTHONPATH is the caller's, its own, or that of a file."""
    if service.env_file or _IMPORT_PATH in service.env or _IMPORT_PATH in place.environment:
        return True
    files = dict.fromkeys((place.root / ".env", service.directory / ".env"))
    return any(_IMPORT_PATH in _text(file) for file in files)


def _text(path: Path) -> str:
    try:
        # A named pipe of a secret manager is read once, and not here.
        return _IMPORT_PATH if path.is_fifo() else (read_bytes(path) or b"").decode(errors="replace")
    except StateFileError:
        return _IMPORT_PATH


def _modules(service: Service) -> list[tuple[str, str]]:
    """Return the interpreters and modules that a service's commands name: `python -m alembic upgrade head`."""
    return [
        found
        for command in (*service.before_start, service.command or "")
        for found in _module_of(first_words(command), service.directory)
    ]


def _module_of(words: tuple[str, ...], folder: Path) -> Iterator[tuple[str, str]]:
    match words:
        case (program, "-m", module, *_) if program in _INTERPRETERS and module.isidentifier():
            yield program, module
        case (program, script, *_) if program in _INTERPRETERS and script.endswith("manage.py"):
            try:
                is_of_django = b"django" in (read_bytes(folder / script) or b"")
            except StateFileError:
                return
            if is_of_django:
                yield program, "django"


def _imports(program: str, module: str, folder: Path, place: Place) -> bool:
    """Whether an interpreter finds a module, from a service's folder. True where it cannot be asked."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    try:
        asked = subprocess.run(
            [program, "-c", code],
            cwd=folder,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return asked.returncode != 1 or os.path.exists(folder / f"{module}.py")  # noqa: PTH110
