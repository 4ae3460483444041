"""Names of Node's files and folders."""

from __future__ import annotations

from devinit.toolchains.language import Language

NODE = Language(
    name="node",
    lock_files=(
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
    ),
    manifests=("package.json", "deno.json"),
    products=("node_modules",),
)
