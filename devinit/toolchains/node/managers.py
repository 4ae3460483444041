"""The package managers of Node: which one wrote a lock file, and what makes one install. Pure."""

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
"""Package managers that corepack, which comes with Node until 24, can stand in for."""
_YARN_2 = "@yarnpkg/cli-dist"
"""The package of Yarn from version 2 on: `yarn` has the first one alone."""
MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
INSTALLED = ("node_modules", ".pnp.cjs")
"""What an installation makes: Yarn's Plug'n'Play has a file instead of the folder."""
_INSTALLING = frozenset(("install", "i", "ci", "add", "clean-install", "dlx", "create", "init"))
_ELSEWHERE = frozenset(("--prefix", "-C", "--dir", "--cwd"))
"""Options that make a package manager work in another folder."""


def install_with(manager: str) -> str:
    """Return the command that installs what a package.json declares."""
    return f"{manager} install"


def install_without(manager: str, version: Version | None) -> str:
    """Return the command that installs with a package manager which the machine does not have: npm fetches it.

    `version`: the one that `packageManager` names. Not by corepack: it has a registry and signatures of its own.
    """
    package = _YARN_2 if manager == "yarn" and version is not None and version[0] > 1 else manager
    return f"npx --yes {package}{f'@{shown(version)}' if version is not None else ''} install"


def bring(manager: str, have: Collection[str]) -> str:
    """Return the command that brings a package manager."""
    return (
        f"corepack enable {manager}"
        if "corepack" in have and manager in OF_COREPACK
        else f"npm install --global {manager}"
    )


def manager_that_runs(words: tuple[str, ...]) -> str | None:
    """Return the package manager of which a command runs something that is installed in the command's folder."""
    if not words or words[0] not in MANAGERS:
        return None
    if _ELSEWHERE.intersection(words) or _INSTALLING.intersection(words[1:3]):
        return None
    return words[0]
