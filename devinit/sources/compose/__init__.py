"""Compose files, read as evidence for a native run.

They provide the services with their settings, ports and order, and the data services in use. The application's own
code shows better how it is developed natively, so that code counts more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The first existing file is read, as compose itself does."""
OVERRIDES = (
    "compose.override.yml", "compose.override.yaml",
    "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip
"""The first existing file is laid over the base."""
DEVELOPMENT = tuple(
    f"{name}.{purpose}.{ending}"
    for purpose in ("dev", "development", "local")
    for name in ("compose", "docker-compose")
    for ending in ("yaml", "yml")
)
"""The first existing file is read if there is no base; otherwise notes name them. Files for production and tests
are ignored."""


_DEVCONTAINER = ".devcontainer"
_MOST_FOLDERS = 100
_NOT_DEVELOPED = frozenset({
    "ci", "deploy", "deployment", "deployments", "doc", "docs", "e2e", "example", "examples", "k8s", "monitoring",
    "observability", "ops", "prod", "production", "sample", "samples", "staging", "template", "templates", "test",
    "tests", "vendor",
})  # fmt: skip
"""Words in the names of folders whose compose files have another purpose."""


APPLICATIONS: tuple[str, ...] = (
    "compose.yaml or docker-compose.yml: services with `build` or mounted source, PostgreSQL and Redis",
)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has a compose file."""
    return not _names_in(folder).isdisjoint((*BASES, *DEVELOPMENT)) or bool(nested_in(folder))


def read(bounds: Bounds) -> Found:
    """Return the services in the compose files."""
    from devinit.sources.compose.services import found_in  # only where there is something to read

    return found_in(bounds, (BASES, OVERRIDES, DEVELOPMENT), nested_in)


def nested_in(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the compose files in subfolders of a repository without one at its top, those for development first.

    Only the top folder of a repository is searched: subfolders of a folder of projects are other projects.
    """
    top = os.fspath(folder)
    names = _names_in(top)
    is_top = os.path.lexists(os.path.join(top, ".git"))  # noqa: PTH118
    if not is_top or not names.isdisjoint((*BASES, *DEVELOPMENT)):
        return ()
    inside = [name for name in sorted(names) if name == _DEVCONTAINER or _is_searched(name)]
    found = [
        f"{name}/{base}"
        for name in inside[:_MOST_FOLDERS]
        for base in [each for each in BASES if os.path.lexists(os.path.join(top, name, each))][:1]  # noqa: PTH118
    ]
    return tuple(sorted(found, key=lambda each: each.startswith(_DEVCONTAINER)))


def _is_searched(name: str) -> bool:
    words = name.lower().replace("-", "_").split("_")
    return not name.startswith(".") and _NOT_DEVELOPED.isdisjoint(words)


def _names_in(folder: str | os.PathLike[str]) -> set[str]:
    try:
        return {*os.listdir(folder)}  # noqa: PTH208 - loads os alone
    except OSError:
        return set()
