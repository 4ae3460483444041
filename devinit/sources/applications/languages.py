"""The detectors of all languages; each is imported only when the repository has files for it.

Commands that read the configuration read the repository, too: a project in Python and Node does not wait for the
patterns of Rust.
"""

from __future__ import annotations

from collections.abc import Iterator

from devinit.sources.applications.tree import Tree
from devinit.sources.applications.unit import Finding


def findings_in(tree: Tree) -> Iterator[Finding]:
    """Yield the findings of each language in a repository. A new language is one more case here."""
    names = {name for folder in tree.folders for name in tree.files[folder]}
    if any(name.endswith(".py") for names in tree.files.values() for name in names):
        yield from _of_python(tree)
    if "go.mod" in names:
        from devinit.sources.applications import go  # here and below: see the module's docstring

        yield go.found_in(tree)
    if "Cargo.toml" in names:
        from devinit.sources.applications import rust  # as above

        yield rust.rust(tree)
    if names & {"pom.xml", "build.gradle", "build.gradle.kts"} or any(
        name.endswith(".csproj") for name in names
    ):
        from devinit.sources.applications import compiled  # as above

        yield from (compiled.spring(tree), compiled.dotnet(tree))
    if "mix.exs" in names:
        from devinit.sources.applications import elixir  # as above

        yield elixir.phoenix(tree)
    if "composer.json" in names:
        from devinit.sources.applications import symfony  # as above

        yield symfony.found_in(tree)
    if "artisan" in names:
        from devinit.sources.applications import laravel  # as above

        yield laravel.found_in(tree)
    if names & {"Gemfile", "deno.json", "deno.jsonc"}:
        from devinit.sources.applications import frameworks  # as above

        yield from (
            frameworks.rails(tree),
            frameworks.deno(tree),
        )
    if names & {"mkdocs.yml", "_config.yml", "hugo.toml", "hugo.yaml", "hugo.json", "config.toml"}:
        from devinit.sources.applications import sites  # as above

        yield sites.found_in(tree)
    if "package.json" in names:
        yield from _of_node(tree, has_nx="nx.json" in names)


def _of_node(tree: Tree, *, has_nx: bool) -> Iterator[Finding]:
    from devinit.sources.applications import node  # as above

    tops: set[str] = set()
    if has_nx:
        from devinit.sources.applications import nx  # as above

        found = nx.found_in(tree)
        tops = {unit.folder for unit in found.units}
        yield found
    # Scripts of a workspace's root would start the same projects again.
    yield from (node.found_in(tree, folder) for folder in tree.folders if folder not in tops)


def _of_python(tree: Tree) -> Iterator[Finding]:
    from devinit.sources.applications import django, python, python_pages, python_servers, workers  # as above

    readings = python.readings_in(tree)
    djangos = django.found_in(tree)
    folders = {unit.folder for unit in djangos.units}
    yield djangos
    applications = python.found_in(tree, readings, folders)
    pages = python_pages.found_in(tree)
    yield from (applications, pages)
    yield python_servers.found_in(
        tree, {*folders, *(unit.folder for finding in (applications, pages) for unit in finding.units)}
    )
    yield Finding(tuple(workers.workers_in(tree, readings, sorted(folders))))
