"""Recognise the server of a Node package without a script for it: `node app.js`, as a README would say."""

from __future__ import annotations

from devinit.sources.applications import javascript
from devinit.sources.applications.node_ports import port_of_a_program, sources_of
from devinit.sources.applications.package import Package
from devinit.sources.applications.scripts import Run
from devinit.sources.applications.servers_of_node import SERVER_PACKAGES
from devinit.sources.applications.tree import joined
from devinit.sources.applications.unit import Role, Unit
from devinit.sources.files import table
from devinit.sources.shell import word

_NAMES = ("server", "app", "index", "main")
"""Names of a server's main file, the likeliest first."""
_FOLDERS = ("", "src", "server", "backend", "api")
_RUNNERS = (("tsx", "npx --no-install tsx"), ("ts-node", "npx --no-install ts-node"))
"""Package → command that runs a TypeScript file."""
_USUAL_PORT = 8000


def server_of(package: Package) -> Unit | None:
    """Return the server of a package if one file is likely to be it."""
    kind = next(
        (name for each, name in SERVER_PACKAGES.items() if each in table(package.described, "dependencies")),
        None,
    )
    file = _entry(package) if kind is not None else None
    command = _running(package, file) if file is not None else ""
    if kind is None or file is None or not command:
        return None
    inside = file.removeprefix(f"{package.folder}/") if package.folder else file
    port = port_of_a_program(package, "", Run(("node", inside)), _USUAL_PORT)
    position = javascript.listens(javascript.plain(package.tree.text(file))) or 0
    migrate, migrations = package.migrations()
    return Unit(
        folder=package.folder,
        role=Role.BACKEND,
        kind=kind,
        language="node",
        command=command,
        port=port.number,
        strict=port.strict,
        port_env=port.variable,
        before_start=migrate,
        evidence=(package.tree.seen("command", file, position), *port.said, *migrations),
    )


def _entry(package: Package) -> str | None:
    """Return the file that listens: the package's own `main`, else the one with the likeliest name."""
    listening = [
        file
        for file in sources_of(package)
        if javascript.listens(javascript.plain(package.tree.text(file))) is not None
    ]
    main = package.described.get("main")
    if isinstance(main, str) and joined(package.folder, main.removeprefix("./")) in listening:
        return joined(package.folder, main.removeprefix("./"))
    for folder in _FOLDERS:
        for name in _NAMES:
            place = joined(joined(package.folder, folder), name) if folder else joined(package.folder, name)
            found = [file for file in listening if file.rpartition(".")[0] == place]
            if found:
                return found[0]
    return None


def _running(package: Package, file: str) -> str:
    """Return the command that runs a file; "" when no package can run it."""
    inside = word(file.removeprefix(f"{package.folder}/") if package.folder else file)
    if file.endswith((".js", ".mjs", ".cjs")):
        return f"npx --no-install nodemon {inside}" if "nodemon" in package.packages else f"node {inside}"
    return next((f"{command} {inside}" for each, command in _RUNNERS if each in package.packages), "")
