"""Recognise the servers of Rust, and the servers of pages that are written in Rust."""

from __future__ import annotations

import re

from msgspec.structs import replace

from devinit.model.defaults import LOCAL_HOST
from devinit.model.service import Readiness
from devinit.sources.applications.dependencies import dependencies_of, toml
from devinit.sources.applications.ports_in_code import ENV_FILES, port_in, stated_in
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import BUILD_SECONDS, PAGE, Finding, Role, Unit
from devinit.sources.files import table

_LISTENS = re.compile(
    r"(?:\.bind\(|TcpListener::bind\(|SocketAddr::from\(|\.run\()[^\n;]{0,80}?"
    r"(?:[:,][ \t]{0,10}|\")(?P<port>\d{4,5})\b|\brocket::build|#\[launch\]"
)
_PORTS = {"rocket": 8000, "axum": 3000, "warp": 3030, "poem": 3000, "loco-rs": 5150} | dict.fromkeys(
    ("actix-web", "salvo", "tide", "hyper", "ntex"), 8080
)
"""Framework → default port."""
_ARGUMENTS = {"loco-rs": f" -- start --binding {LOCAL_HOST} --port ${{PORT}}"}
"""Framework → arguments that make its program serve."""
_TRUNK = re.compile(r"\bdata-trunk\b")
_SERVED = re.compile(
    r"^\[serve\](?:\n(?!\[)[^\n]*){0,40}?\nport[ \t]*=[ \t]*(?P<port>\d{4,5})\b", re.MULTILINE
)
_LEPTOS = re.compile(r"^\[\[?(?:package|workspace)\.metadata\.leptos\]\]?", re.MULTILINE)
_LEPTOS_PORT = re.compile(r"^site-addr[ \t]*=[ \t]*\"[\w.:\[\]]{1,60}:(?P<port>\d{4,5})\"", re.MULTILINE)
_HOST_AND_PORT = f"--address {LOCAL_HOST} --port ${{PORT}}"


def rust(tree: Tree) -> Finding:
    """Return the servers of Rust: packages with a program and a server framework, and packages with pages."""
    units = []
    for folder in tree.folders:
        if not tree.has(folder, "Cargo.toml"):
            continue
        names = {each.name.removeprefix("rust:") for each in dependencies_of(tree, folder)}
        main = joined(folder, "src/main.rs")
        framework = next((each for each in _PORTS if each in names), None)
        if pages := _pages(tree, folder):
            units.append(pages)
            continue
        if framework is None or not tree.text(main):
            continue
        texts = [(file, tree.text(file)) for file in (main, *tree.sources(joined(folder, "src"), ".rs"))]
        found = [(file, each.start()) for file, text in texts if (each := _LISTENS.search(text))]
        port = port_in(texts, _LISTENS) if framework != "rocket" else None
        if framework != "rocket" and (port is None or port.number is None):
            files = [joined(folder, name) for name in ENV_FILES]
            variable = (port and port.variable) or "PORT"
            port = stated_in(((file, tree.text(file)) for file in files), variable) or port
        cargo = toml(tree.text(joined(folder, "Cargo.toml")))
        has_several = isinstance(cargo.get("bin"), list) or tree.path(joined(folder, "src/bin")).is_dir()
        binary = f" --bin {table(cargo, 'package').get('name', '')}" if has_several else ""
        is_rocket = framework == "rocket"
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind="Rust",
                command=f"cargo run{binary}{_ARGUMENTS.get(framework, '')}",
                port=(port.number if port else None) or _PORTS[framework],
                strict=port is not None and port.variable is None,
                port_env=(port.variable,) if port and port.variable and port.variable != "PORT" else (),
                ready=Readiness(timeout_seconds=BUILD_SECONDS),
                env={"ROCKET_PORT": "${PORT}", "ROCKET_ADDRESS": LOCAL_HOST} if is_rocket else {},
                evidence=(
                    tree.seen("command", *(found[0] if found else (main, 0))),
                    *((tree.seen("port", port.file, port.position),) if port and port.number else ()),
                ),
            )
        )
    return Finding(tuple(units))


def _pages(tree: Tree, folder: str) -> Unit | None:
    """Return the server that builds and serves pages in Rust: Trunk, Leptos or Dioxus."""
    manifest = joined(folder, "Cargo.toml")
    page = Unit(
        folder=folder,
        role=Role.FRONTEND,
        kind="Trunk",
        command=f"trunk serve {_HOST_AND_PORT}",
        port=8080,
        ready=replace(PAGE, timeout_seconds=BUILD_SECONDS),
        uses_databases=False,
    )
    if leptos := _LEPTOS.search(tree.text(manifest)):
        stated = _LEPTOS_PORT.search(tree.text(manifest))
        return replace(
            page,
            kind="Leptos",
            command="cargo leptos watch",
            port=int(stated["port"]) if stated else 3000,
            env={"LEPTOS_SITE_ADDR": f"{LOCAL_HOST}:${{PORT}}"},
            uses_databases=True,
            evidence=(
                tree.seen("command", manifest, leptos.start()),
                *((tree.seen("port", manifest, stated.start()),) if stated else ()),
            ),
        )
    if tree.has(folder, "Dioxus.toml"):
        return replace(
            page,
            kind="Dioxus",
            command=f"dx serve --addr {LOCAL_HOST} --port ${{PORT}}",
            evidence=(tree.seen("command", joined(folder, "Dioxus.toml"), 0),),
        )
    index, settings = joined(folder, "index.html"), joined(folder, "Trunk.toml")
    found = _TRUNK.search(tree.text(index))
    if found is None and not tree.has(folder, "Trunk.toml"):
        return None
    stated = _SERVED.search(tree.text(settings))
    said = tree.seen("command", index, found.start()) if found else tree.seen("command", settings, 0)
    return replace(
        page,
        port=int(stated["port"]) if stated else page.port,
        evidence=(said, *((tree.seen("port", settings, stated.start("port")),) if stated else ())),
    )
