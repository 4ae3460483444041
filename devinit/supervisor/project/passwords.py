"""The passwords of a project's servers, set in its services before other values are derived from them.

Published values and the servers' own must agree, so both come from the same project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from devinit.errors import DevinitError, StateFileError
from devinit.kinds.providers import PROVIDERS, Place
from devinit.model.service import Project, Service
from devinit.runtime.dotenv import read_env_files
from devinit.supervisor.project.former_data import with_former_data
from devinit.system.bounds import bounds_of
from devinit.system.files import read_bytes

SETTINGS_FILES = ("alembic.ini", "prisma/schema.prisma")
"""Files in an application's folder that may contain its database's URL."""
LARGEST_FILE = 500_000

Signature: TypeAlias = tuple[tuple[Path, int, int], ...]
EnvFilesOf: TypeAlias = Callable[[Service], tuple[Path, ...]]


class Passwords:
    """Reader of the passwords in the project's own files; it reads them again only when they have changed."""

    def __init__(self, env_files_of: EnvFilesOf) -> None:
        self._env_files_of = env_files_of
        self._read: tuple[Signature, dict[str, str]] | None = None

    def settled(self, project: Project, place: Place) -> Project:
        """Return the project in which every server has its password. Raise StateFileError."""

        def stated() -> Mapping[str, str]:
            return self._stated(project, place.environment)

        project = with_former_data(project, place)
        services = {
            name: PROVIDERS[service.provider].settled(service, place, stated)
            for name, service in project.services.items()
        }
        return replace(project, services=services)

    def _stated(self, project: Project, caller: Mapping[str, str]) -> dict[str, str]:
        """Return the values in files, by variable or by file; devinit.toml takes precedence over `.env`."""
        found = dict.fromkeys(
            path for service in project.services.values() for path in self._env_files_of(service)
        )
        # A named pipe is written once per start: the services read it, we do not.
        env_files = [path for path in found if path.is_file()]
        folders = dict.fromkeys([project.root, *(each.directory for each in project.services.values())])
        others = [folder / name for folder in folders for name in SETTINGS_FILES]
        signature = tuple(signed([*env_files, *others]))
        if self._read is None or self._read[0] != signature:
            values = {str(path): without_comments(path, project.root) for path in others}
            # A file that cannot be parsed is refused by name when a service needs it.
            with suppress(DevinitError):
                values |= read_env_files(env_files, caller=caller)
            self._read = signature, values
        values = dict(self._read[1])
        for service in project.services.values():
            values |= _with_values(service.env, service.left_out, values)
        return values | _with_values(project.environment, project.left_out, values)


def _with_values(
    given: Mapping[str, str], left_out: Collection[str], values: Mapping[str, str]
) -> dict[str, str]:
    """Return the values in devinit.toml; one that refers to a variable of ours does not replace a file's value."""
    return {
        name: each
        for name, each in given.items()
        if name not in left_out and not ("${" in each and name in values)
    }


def as_they_run(project: Project, running: Mapping[str, Service]) -> Project:
    """Return a project in which running servers have the logins with which they were started.

    Another database, user or password takes effect at their next start; until then the applications need the old
    one.
    """
    kept = {
        name: with_login_of(project.services[name], service)
        for name, service in running.items()
        if name in project.services
    }
    return replace(project, services={**project.services, **kept})


def with_login_of(service: Service, running: Service) -> Service:
    """Return a service with database, user and password of the same service as it runs."""
    if service.provider != running.provider or service.external_url or running.external_url:
        return service
    if service.settings is None or running.settings is None:
        return service
    return replace(service, settings=service.settings.with_login_of(running.settings))


def signed(paths: list[Path]) -> Iterator[tuple[Path, int, int]]:
    """Yield the existing files, with values that change with each new version of a file."""
    for path in paths:
        with suppress(OSError):
            found = path.stat()
            yield path, found.st_mtime_ns, found.st_size


def without_comments(path: Path, root: Path) -> str:
    """Return the lines of a file in the checkout without comments; "" for an unreadable file."""
    if path.parent.name == "prisma" and path.parent.is_symlink() and not bounds_of(root).holds(path):
        return ""  # `inside` checks only the file's own name
    try:
        content = read_bytes(path, inside=root, most=LARGEST_FILE) or b""
    except StateFileError:
        return ""
    lines = content.decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("#", ";", "//")))
