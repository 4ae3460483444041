"""The package managers of Node: which one wrote a lock file, and what makes one install. Pure."""

from __future__ import annotations

LOCKED_BY = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
"""Lock file → the package manager that wrote it."""
MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
INSTALLED = ("node_modules", ".pnp.cjs")
"""What an installation makes: Yarn's Plug'n'Play has a file instead of the folder."""
_INSTALLING = frozenset(("install", "i", "ci", "add", "clean-install", "dlx", "create", "init"))
_ELSEWHERE = frozenset(("--prefix", "-C", "--dir", "--cwd"))
"""Options that make a package manager work in another folder."""


def install_with(manager: str) -> str:
    """Return the command that installs what a package.json declares."""
    return f"{manager} install"


def manager_that_runs(words: tuple[str, ...]) -> str | None:
    """Return the package manager of which a command runs something that is installed in the command's folder."""
    if not words or words[0] not in MANAGERS:
        return None
    if _ELSEWHERE.intersection(words) or _INSTALLING.intersection(words[1:3]):
        return None
    return words[0]
