"""Recognise sites that a generator builds from texts, by its configuration file: Hugo, Jekyll, MkDocs, Zola."""

from __future__ import annotations

import re

from msgspec import Struct

from devinit.model.defaults import LOCAL_HOST
from devinit.sources.applications.dependencies import dependencies_of
from devinit.sources.applications.tree import Tree, joined, upwards
from devinit.sources.applications.unit import PAGE, Finding, Role, Unit


class Generator(Struct, frozen=True, kw_only=True):
    """A program that builds a site and serves it while the texts are edited."""

    kind: str
    files: tuple[str, ...]
    needs: re.Pattern[str]
    """Matches the file if it is this program's."""
    command: str
    port: int
    packages: frozenset[str] = frozenset()
    """Dependencies of which one must be declared as well; empty for a program that is no package."""
    language: str = ""


_ANY = re.compile("")
GENERATORS = (
    Generator(
        kind="Hugo",
        files=("hugo.toml", "hugo.yaml", "hugo.json"),
        needs=_ANY,
        command=f"hugo server --bind {LOCAL_HOST} --port ${{PORT}}",
        port=1313,
    ),
    Generator(
        kind="Hugo",
        files=("config.toml",),
        needs=re.compile(r"^[ \t]{0,9}(?i:baseurl)[ \t]{0,9}=", re.MULTILINE),
        command=f"hugo server --bind {LOCAL_HOST} --port ${{PORT}}",
        port=1313,
    ),
    Generator(
        kind="Zola",
        files=("config.toml",),
        needs=re.compile(r"^[ \t]{0,9}base_url[ \t]{0,9}=", re.MULTILINE),
        command=f"zola serve --interface {LOCAL_HOST} --port ${{PORT}}",
        port=1111,
    ),
    Generator(
        kind="Jekyll",
        files=("_config.yml",),
        needs=_ANY,
        command=f"bundle exec jekyll serve --host {LOCAL_HOST} --port ${{PORT}}",
        port=4000,
        packages=frozenset({"ruby:jekyll", "ruby:github-pages"}),
    ),
    Generator(
        kind="MkDocs",
        files=("mkdocs.yml",),
        needs=re.compile(r"^site_name[ \t]{0,9}:", re.MULTILINE),
        command=f"mkdocs serve --dev-addr {LOCAL_HOST}:${{PORT}}",
        port=8000,
        language="python",
    ),
)


def found_in(tree: Tree) -> Finding:
    """Return the sites of a repository."""
    units = []
    for folder in tree.folders:
        for generator in GENERATORS:
            unit = _site(tree, folder, generator)
            if unit is not None:
                units.append(unit)
                break
    return Finding(tuple(units))


def _site(tree: Tree, folder: str, generator: Generator) -> Unit | None:
    for name in generator.files:
        file = joined(folder, name)
        found = generator.needs.search(tree.text(file)) if tree.has(folder, name) else None
        if found is None or (generator.packages and not _declares(tree, folder, generator.packages)):
            continue
        return Unit(
            folder=folder,
            role=Role.FRONTEND,
            kind=generator.kind,
            language=generator.language,
            command=generator.command,
            port=generator.port,
            ready=PAGE,
            is_documentation=True,
            uses_databases=False,
            evidence=(tree.seen("command", file, found.start()),),
        )
    return None


def _declares(tree: Tree, folder: str, packages: frozenset[str]) -> bool:
    return any(each.name in packages for above in upwards(folder) for each in dependencies_of(tree, above))
