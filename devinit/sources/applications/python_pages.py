"""Recognise pages that are Python scripts, by the declared dependencies: Streamlit, Gradio, Dash and others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.model.service import Readiness
from devinit.sources.applications.dependencies import dependencies_of, toml
from devinit.sources.applications.python import COMMAND_FILES
from devinit.sources.applications.tree import Tree, depth, joined, relative
from devinit.sources.applications.unit import PAGE, Finding, Role, Unit, at
from devinit.sources.files import read, seen, table
from devinit.sources.shell import word

_NAMES = ("streamlit_app", "app", "main", "home", "dashboard", "index", "ui", "frontend")
"""Names of the main page, the likeliest first."""


class Framework(Struct, frozen=True, kw_only=True):
    """A package whose pages are scripts."""

    kind: str
    serves: re.Pattern[str]
    """Matches a script that serves a page."""
    command: str
    """The command, with `{script}` as the placeholder of the script."""
    port: int
    constant: re.Pattern[str] | None = None
    """Matches a port that the script sets itself and that cannot change."""
    env: dict[str, str] = {}
    ready: Readiness = PAGE


_PORT_GIVEN = r"(?P<port>\d{4,5})\b"
FRAMEWORKS = {
    "python:streamlit": Framework(
        kind="Streamlit",
        serves=re.compile(r"^(?:import|from)[ \t]{1,10}streamlit\b", re.MULTILINE),
        command=(
            f"streamlit run {{script}} --server.address {LOCAL_HOST} --server.port ${{PORT}} "
            "--server.headless true"
        ),
        port=8501,
        ready=Readiness(http="/_stcore/health"),
    ),
    "python:gradio": Framework(
        kind="Gradio",
        serves=re.compile(r"^[ \t]{0,40}[\w.()]{1,80}\.launch\(", re.MULTILINE),
        command="python {script}",
        port=7860,
        constant=re.compile(rf"\blaunch\([^)]{{0,300}}\bserver_port[ \t]{{0,10}}=[ \t]{{0,10}}{_PORT_GIVEN}"),
        env={"GRADIO_SERVER_NAME": LOCAL_HOST, "GRADIO_SERVER_PORT": "${PORT}"},
    ),
    "python:dash": Framework(
        kind="Dash",
        serves=re.compile(r"^[ \t]{0,40}\w{1,40}\.run(?:_server)?\(", re.MULTILINE),
        # Dash reads HOST and PORT by itself.
        command="python {script}",
        port=8050,
        constant=re.compile(
            rf"\.run(?:_server)?\([^)]{{0,300}}\bport[ \t]{{0,10}}=[ \t]{{0,10}}{_PORT_GIVEN}"
        ),
        env={"HOST": LOCAL_HOST},
    ),
    "python:chainlit": Framework(
        kind="Chainlit",
        serves=re.compile(r"^@(?:cl|chainlit)\.on_\w{1,40}", re.MULTILINE),
        command=f"chainlit run {{script}} --host {LOCAL_HOST} --port ${{PORT}} --headless --watch",
        port=8000,
    ),
    "python:shiny": Framework(
        kind="Shiny",
        serves=re.compile(
            r"^(?:app[ \t]{0,9}=[ \t]{0,9}(?:shiny\.)?App\(|from[ \t]{1,9}shiny\.express\b)", re.MULTILINE
        ),
        # With --reload it first listens on a second port of its own choice.
        command=f"shiny run --host {LOCAL_HOST} --port ${{PORT}} {{script}}",
        port=8000,
    ),
    "python:panel": Framework(
        kind="Panel",
        serves=re.compile(r"\.servable\("),
        command=f"panel serve {{script}} --address {LOCAL_HOST} --port ${{PORT}} --dev",
        port=5006,
    ),
    "python:solara": Framework(
        kind="Solara",
        serves=re.compile(r"^@solara\.component", re.MULTILINE),
        command=f"solara run {{script}} --host {LOCAL_HOST} --port ${{PORT}} --no-open",
        port=8765,
    ),
    "python:python-fasthtml": Framework(
        kind="FastHTML",
        serves=re.compile(r"^serve\(", re.MULTILINE),
        # It reads PORT by itself.
        command="python {script}",
        port=5001,
        constant=re.compile(
            rf"^serve\([^)]{{0,300}}\bport[ \t]{{0,10}}=[ \t]{{0,10}}{_PORT_GIVEN}", re.MULTILINE
        ),
    ),
}
"""Dependency → framework."""


def found_in(tree: Tree) -> Finding:
    """Return the pages of a repository: one for each framework in each folder that declares it."""
    units: list[Unit] = []
    notes: list[str] = []
    declaring = [
        (folder, framework)
        for folder in tree.folders
        for name in {each.name.partition("[")[0] for each in dependencies_of(tree, folder)}
        if (framework := FRAMEWORKS.get(name))
    ]
    for folder, framework in declaring:
        inner = [each for each, other in declaring if other is framework and each != folder]
        scripts = sorted(
            _scripts(tree, folder, inner, framework), key=lambda each: _likelihood(tree, folder, each)
        )
        if not scripts:
            continue
        units.append(_unit(tree, folder, scripts[0], framework))
        if scripts[1:] and not _is_named(tree, folder, scripts[0]):
            notes.append(
                f"{at(folder)}{scripts[0]} is served by {framework.kind}; "
                f"a page is in {' and '.join(scripts[1:3])}, too"
            )
    return Finding(tuple(units), tuple(notes))


def _scripts(tree: Tree, folder: str, inner: list[str], framework: Framework) -> Iterator[str]:
    """Yield the files of a folder that serve a page, without subfolders that are projects of their own."""
    below = [f"{each}/" for each in inner if not folder or each.startswith(f"{folder}/")]
    module = framework.kind.lower()
    for file in tree.sources(folder, ".py"):
        text = tree.text(file)
        # Streamlit keeps further pages in a folder of this name.
        is_further = "/pages/" in f"/{relative(file, folder)}"
        if (
            module in text
            and framework.serves.search(text)
            and not is_further
            and not file.startswith(tuple(below))
        ):
            yield file


def _likelihood(tree: Tree, folder: str, file: str) -> tuple[bool, int, int, str]:
    """Return a sort key that puts the likeliest script first."""
    name = file.rpartition("/")[2].removesuffix(".py").lower()
    known = _NAMES.index(name) if name in _NAMES else len(_NAMES)
    return not _is_named(tree, folder, file), known, depth(file), file


def _is_named(tree: Tree, folder: str, file: str) -> bool:
    """Return whether a file with commands names a script."""
    name = re.escape(str(relative(file, folder)))
    named = re.compile(rf"\b(?:run|python3?)[ \t]{{1,10}}(?:\./)?{name}(?![\w.])")
    return any(
        named.search(tree.text(joined(place, each)))
        for place in dict.fromkeys((folder, ""))
        for each in tree.files.get(place, ())
        if each.startswith(COMMAND_FILES)
    )


def _unit(tree: Tree, folder: str, file: str, framework: Framework) -> Unit:
    text = tree.text(file)
    serves = framework.serves.search(text)
    port, is_constant, said = _port(tree, folder, file, framework)
    return Unit(
        folder=folder,
        role=Role.FRONTEND,
        kind=framework.kind,
        language="python",
        command=framework.command.replace("{script}", word(str(relative(file, folder)))),
        port=port,
        strict=is_constant,
        env=dict(framework.env),
        ready=framework.ready,
        evidence=(tree.seen("command", file, serves.start() if serves else 0), *said),
    )


def _port(tree: Tree, folder: str, file: str, framework: Framework) -> tuple[int, bool, tuple[Evidence, ...]]:
    """Return the port of a page, whether its script fixes it, and the line that states it."""
    found = framework.constant.search(tree.text(file)) if framework.constant else None
    if found is not None and LOWEST_PORT <= int(found["port"]) <= HIGHEST_PORT:
        return int(found["port"]), True, (tree.seen("port", file, found.start("port")),)
    if framework.kind == "Streamlit":
        path = tree.path(joined(folder, ".streamlit/config.toml"))
        text = read(path, tree.bounds)
        stated = table(toml(text), "server").get("port")
        if isinstance(stated, int) and LOWEST_PORT <= stated <= HIGHEST_PORT:
            return stated, False, (seen("port", path, tree.bounds, text, max(text.find("port"), 0)),)
    return framework.port, False, ()
