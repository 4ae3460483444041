"""The package managers of Node: their lock files, and their install commands. Pure."""

from __future__ import annotations

from collections.abc import Collection

from devinit.toolchains.versions import Version, shown

LOCKED_BY = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
"""Lock file → the package manager that wrote it."""
OF_COREPACK = ("pnpm", "yarn")
"""Package managers that corepack can provide; Node includes corepack up to version 24."""
_YARN_2 = "@yarnpkg/cli-dist"
"""The npm package of Yarn 2 and later: the package `yarn` only has version 1."""
MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
INSTALLED = ("node_modules", ".pnp.cjs")
"""Results of an installation: Yarn's Plug'n'Play creates a file instead of the folder."""
_INSTALLING = frozenset(("install", "i", "ci", "add", "clean-install", "dlx", "create", "init"))
_ELSEWHERE = frozenset(("--prefix", "-C", "--dir", "--cwd"))
"""Options that make a package manager work in another folder."""


def install_with(manager: str) -> str:
    """Return the command that installs the dependencies in a package.json."""
    return f"{manager} install"


def install_without(manager: str, version: Version | None) -> str:
    """Return the command that installs with a package manager that the machine lacks: npx downloads it.

    `version` is the one in `packageManager`. corepack is not used: it has its own registry and signatures.
    """
    package = _YARN_2 if manager == "yarn" and version is not None and version[0] > 1 else manager
    return f"npx --yes {package}{f'@{shown(version)}' if version is not None else ''} install"


def bring(manager: str, have: Collection[str]) -> str:
    """Return the command that installs a package manager."""
    return (
        f"corepack enable {manager}"
        if "corepack" in have and manager in OF_COREPACK
        else f"npm install --global {manager}"
    )


def manager_that_runs(words: tuple[str, ...]) -> str | None:
    """Return the package manager of a command that runs an installed program in its folder; None without one."""
    if not words or words[0] not in MANAGERS:
        return None
    if _ELSEWHERE.intersection(words) or _INSTALLING.intersection(words[1:3]):
        return None
    return words[0]
