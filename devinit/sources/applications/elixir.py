"""Recognise the applications of Phoenix."""

from __future__ import annotations

import re

from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications.ports_in_code import port_in
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import BUILD_SECONDS, Finding, Role, Unit

_PHOENIX = re.compile(r"\{:phoenix,")
_PORT = re.compile(r"\bport:[ \t]{0,10}(?P<port>\d{4,5})\b")
_READS_PORT = re.compile(r"(?:get_env|fetch_env!)\(\"PORT\"")
_SETTINGS = ("dev", "runtime", "config")
"""Files in `config/`, those for development first."""
_REPOSITORY = re.compile(
    r"^config[ \t]{1,9}:\w{1,60},[ \t]{0,9}[\w.]{0,100}Repo\b[^\n]{0,20}\n", re.MULTILINE
)
"""Matches the settings of an Ecto database: `config :shop, Shop.Repo,`."""
_SETTING = re.compile(
    r"^[ \t]{1,40}(?P<key>username|password|database|hostname|port|url):[ \t]{0,9}"
    r"(?:\"(?P<text>[^\"#\n]{0,200})\"|(?P<number>\d{2,5})|(?P<read>[^\n]{1,300}))",
    re.MULTILINE,
)
_END = re.compile(r"^(?:config\b|if\b|end\b|import_config\b)", re.MULTILINE)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_READS_URL = re.compile(r"env!?\(\"(?:\w{1,60}_)?DATABASE_URL\"")


def phoenix(tree: Tree) -> Finding:
    """Return the applications of Phoenix."""
    units = []
    for folder in tree.folders:
        file = joined(folder, "mix.exs")
        found = _PHOENIX.search(tree.text(file))
        if found is None:
            continue
        names = [joined(folder, f"config/{name}.exs") for name in _SETTINGS]
        reads = any(_READS_PORT.search(tree.text(name)) for name in names[:2])
        stated = next(((name, port) for name in names if (port := _port_in(tree.text(name)))), None)
        texts = [(name, tree.text(name)) for name in names]
        other = port_in(texts, _PORT) if not (reads or stated) else None
        migrate, said = _migrations(tree, folder)
        units.append(
            Unit(
                folder=folder,
                role=Role.BACKEND,
                kind="Phoenix",
                language="elixir",
                command="mix phx.server",
                port=int(stated[1]["port"]) if stated else (other and other.number) or 4000,
                strict=stated is not None and not reads,
                port_env=(other.variable,) if other and other.variable else (),
                before_start=migrate,
                ready=Readiness(timeout_seconds=BUILD_SECONDS),
                evidence=(
                    tree.seen("command", file, found.start()),
                    *((tree.seen("port", stated[0], stated[1].start()),) if stated else ()),
                    *((tree.seen("port", other.file, other.position),) if other and other.number else ()),
                    *said,
                ),
            )
        )
    return Finding(tuple(units))


def _port_in(text: str) -> re.Match[str] | None:
    """Return the match of the web port in the settings, skipping the ports of databases."""
    databases = [
        (found.start(), found.end() + len(_body(text, found))) for found in _REPOSITORY.finditer(text)
    ]
    ports = _PORT.finditer(text)
    return next(
        (port for port in ports if not any(start <= port.start() < end for start, end in databases)), None
    )


def _body(text: str, repository: re.Match[str]) -> str:
    """Return the settings of a database, up to the next block."""
    end = _END.search(text, repository.end())
    return text[repository.end() : end.start() if end else len(text)]


def _migrations(tree: Tree, folder: str) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the command of the Ecto migrations if the settings name a database that devinit can run."""
    file = joined(folder, "mix.exs")
    position = tree.text(file).find("{:ecto_sql,")
    is_there = any(tree.path(joined(folder, "priv/repo/migrations")).glob("*.exs"))
    texts = [tree.text(joined(folder, f"config/{name}.exs")) for name in _SETTINGS[:2]]
    if position < 0 or not is_there or not (_is_here(texts) or any(map(_READS_URL.search, texts))):
        return (), ()
    return ("mix ecto.migrate",), (tree.seen("before_start", file, position),)


def _is_here(texts: list[str]) -> bool:
    """Return whether the settings of a database are constants and name this machine."""
    for text in texts:
        if found := _REPOSITORY.search(text):
            stated = {each["key"]: each for each in _SETTING.finditer(_body(text, found))}
            host = stated["hostname"]["text"] if "hostname" in stated else _LOCAL[0]
            return (
                host in _LOCAL and "database" in stated and not any(each["read"] for each in stated.values())
            )
    return False
