"""Compose files, read as evidence for a native run.

They say which services there are, with which settings, ports and order, and which data services they use. How an
application is developed on the machine itself its code says better, so that code counts more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The first one that is there is read, as compose itself does."""
OVERRIDES = (
    "compose.override.yml", "compose.override.yaml",
    "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip
"""The first one that is there lies over the base."""
DEVELOPMENT = tuple(
    f"{name}.{purpose}.{ending}"
    for purpose in ("dev", "development", "local")
    for name in ("compose", "docker-compose")
    for ending in ("yaml", "yml")
)
"""Read where there is no base; named in a note where there is one. Those for production and tests are neither."""


_DEVCONTAINER = ".devcontainer"
_MOST_FOLDERS = 100
_NOT_DEVELOPED = frozenset({
    "ci", "deploy", "deployment", "deployments", "doc", "docs", "e2e", "example", "examples", "k8s", "monitoring",
    "observability", "ops", "prod", "production", "sample", "samples", "staging", "template", "templates", "test",
    "tests", "vendor",
})  # fmt: skip
"""Words in the names of folders whose compose files are for something else."""


APPLICATIONS: tuple[str, ...] = (
    "compose.yaml or docker-compose.yml: services with `build` or mounted source, PostgreSQL and Redis",
)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has one."""
    return not _names_in(folder).isdisjoint((*BASES, *DEVELOPMENT)) or bool(nested_in(folder))


def read(bounds: Bounds) -> Found:
    """Return the services that it describes."""
    from devinit.sources.compose.services import found_in  # only where there is something to read

    return found_in(bounds, (BASES, OVERRIDES, DEVELOPMENT), nested_in)


def nested_in(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the compose files in folders of a repository whose top has none, those for development first.

    They are read only at the top of a repository: what lies in a folder of projects are other projects.
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
