"""Find the database servers of a project by its dependencies, its settings and its source code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import structs

from devinit.kinds import KINDS, not_run
from devinit.model.evidence import Evidence
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.service import Service
from devinit.sources.applications.dependencies import Dependency, dependencies_of
from devinit.sources.applications.own_databases import own_databases
from devinit.sources.applications.traces import (
    ELSEWHERE,
    LARAVEL_REDIS,
    LOCAL_PROXY,
    NOT_PROVIDED,
    POSTGRES,
    PROVIDED,
    SQLITE,
    Traces,
)
from devinit.sources.applications.tree import Tree, joined, upwards
from devinit.sources.servers import server, settings_of

_SOURCES = (".py", ".ts", ".js", ".mjs")
_COMMENT = re.compile(r"^[ \t]{0,200}(?:#|//)[^\n]*", re.MULTILINE)
_SQLITE = re.compile(
    r"\bsqlite(?:\+\w{1,20})?:///(?:[^\s\"']|[\"'][ \t]{0,20}\+[ \t]{0,20}\w)|backends\.sqlite3"
)
"""Matches a database in a file, as the value of a setting."""
_ENGINES = {"MySQL": NOT_PROVIDED["MySQL"], "SQLite": SQLITE, "H2": frozenset({"java:h2"})}
"""Further databases for which a program may have a driver."""
_SPRING_SETTINGS = re.compile(r"application(?:-[\w-]{1,60})?\.(?:properties|ya?ml)")
_BESIDE_UPSTASH = {"node:ioredis": "ioredis", "node:redis": "redis"}
"""Drivers of Redis that remain in a package.json whose code asks Upstash over HTTP."""
_JDBC = re.compile(r"\bjdbc:(?P<engine>h2|postgresql)\b")
_LIBRARIES = frozenset({"packages", "libs", "crates", "shared", "common"})
"""Folders with code that the programs of a project share."""
_NEAR = 2
"""Levels below a program in the root folder that belong to it: `prisma/`, `config/settings`."""
_MOST_READ = 1_000
"""Limit of the source files that are searched."""

_PRISMA = re.compile(
    r"^[ \t]{0,40}provider[ \t]{0,20}=[ \t]{0,20}[\"'](mysql|mongodb|sqlserver|cockroachdb)[\"']",
    re.MULTILINE,
)
_PRISMA_NAMES = {
    "mysql": "MySQL",
    "mongodb": "MongoDB",
    "sqlserver": "SQL Server",
    "cockroachdb": "CockroachDB",
}


def databases_in(
    tree: Tree, folders: list[str]
) -> tuple[dict[str, Service], dict[str, tuple[Evidence, ...]], list[str]]:
    """Return the database servers of a project, with the line that shows each, and notes about others.

    `folders` are the folders of its programs: source code is searched below them.
    """
    places = _places(tree, folders)
    declared = [each for folder in places for each in dependencies_of(tree, folder)]
    sources = _sources(tree, [*folders, "backend"])
    has_sqlite = [file for file, text in sources if _SQLITE.search(text)]
    choices = {each.file for each in declared if each.name in SQLITE or _is_in_memory(tree, each)}
    services: dict[str, Service] = {}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    for kind, traces in PROVIDED.items():
        relevant = [
            each
            for each in declared
            if (kind != "postgres" or not (_is_beside(each, has_sqlite) or each.file in choices))
            and not (each.name in _BESIDE_UPSTASH and _is_unused(each, declared, sources))
        ]
        said = next(_uses(tree, places, traces, relevant, sources), None)
        if said is not None:
            services[kind] = server(KINDS[kind], tree.bounds.root)
            evidence[kind] = (said,)
    if "postgres" in services:
        using = [folder for folder in folders if needs_of(tree, folder, ("postgres",))]
        own = own_databases(tree, using)
        settings = settings_of(KINDS["postgres"], {"databases": [*own]}, tree.bounds.root) if own else None
        if settings is not None:
            services["postgres"] = structs.replace(services["postgres"], settings=settings)
            evidence["postgres"] += tuple(own.values())
    others = [each for each in declared if each.file not in choices or each.name not in _ENGINES["MySQL"]]
    notes = [*_others(tree, places, others, has_sqlite), *_elsewhere(tree, declared, sources)]
    if "postgres" not in services:
        notes += _chosen_later(tree, declared, choices)
    return services, evidence, notes


def _chosen_later(tree: Tree, declared: list[Dependency], choices: set[str]) -> Iterator[str]:
    """Yield a note for each file with drivers of several databases, naming the one that is not started."""
    for file in sorted(choices):
        here = [each for each in declared if each.file == file]
        driver = next((each for each in here if each.name in POSTGRES.packages), None)
        if driver is None:
            continue
        others = [name for name, packages in _ENGINES.items() if any(each.name in packages for each in here)]
        name = driver.name.partition(":")[2].removeprefix("github.com/")
        yield (
            f"{tree.seen('provider', file, driver.position).place}: no PostgreSQL is started for {name}, because "
            f"{file} has drivers of {' and '.join(others)}, too; a [services.postgres] with "
            '`provider = "postgres"` in devinit.toml adds it'
        )


def _is_in_memory(tree: Tree, dependency: Dependency) -> bool:
    """Return whether a driver is that of H2 and the settings of its Spring application name only H2."""
    if dependency.name not in _ENGINES["H2"]:
        return False
    folder = joined(dependency.file.rpartition("/")[0], "src/main/resources")
    texts = [
        tree.text(joined(folder, name))
        for name in tree.files.get(folder, ())
        if _SPRING_SETTINGS.fullmatch(name)
    ]
    return {found["engine"] for text in texts for found in _JDBC.finditer(_without_comments(text))} == {"h2"}


def _places(tree: Tree, folders: list[str]) -> list[str]:
    """Return the folders whose files concern the programs: theirs, those around and below, and libraries."""
    if not folders:
        return tree.folders
    around = {each for folder in folders for each in upwards(folder)}
    if any(_is_of_dotnet(tree, folder) for folder in folders):
        # The projects of a solution are in sibling folders.
        around |= {folder for folder in tree.folders if _is_of_dotnet(tree, folder)}
    return [
        folder
        for folder in tree.folders
        if folder in around
        or any(folder.startswith(joined(each, "")) for each in folders if each)
        or any(part in _LIBRARIES for part in folder.split("/"))
        or ("" in folders and folder.count("/") < _NEAR)
    ]


def _is_of_dotnet(tree: Tree, folder: str) -> bool:
    return any(name.endswith(".csproj") for name in tree.files[folder])


def _is_beside(dependency: Dependency, files: list[str]) -> bool:
    """Return whether one of these files is below the declaration of a driver, which may then be unused."""
    folder = dependency.file.rpartition("/")[0].removesuffix("requirements").rstrip("/")
    return any(not folder or file.startswith(f"{folder}/") for file in files)


def _is_unused(dependency: Dependency, declared: list[Dependency], sources: list[tuple[str, str]]) -> bool:
    """Return whether a driver stands beside that of Upstash, and no code imports it.

    The address of a server on this machine is one that the client of Upstash refuses.
    """
    if not any(each.name == "node:@upstash/redis" and each.file == dependency.file for each in declared):
        return False
    imported = re.compile(
        rf"(?:\bfrom|\bimport|\brequire\()[ \t]{{0,9}}[\"']{_BESIDE_UPSTASH[dependency.name]}[\"']"
    )
    return not any(imported.search(text) for _, text in sources)


def _uses(
    tree: Tree,
    places: list[str],
    traces: Traces,
    declared: list[Dependency],
    sources: list[tuple[str, str]],
) -> Iterator[Evidence]:
    """Yield the lines that show the use of a server, the most explicit first."""
    for each in declared:
        if each.name in traces.packages:
            yield tree.seen("provider", each.file, each.position)
    for file in _settings(tree, places):
        text = _without_comments(tree.text(file))
        is_of_laravel = traces is PROVIDED["redis"] and tree.has(file.rpartition("/")[0], "artisan")
        for pattern in (traces.url, LARAVEL_REDIS if is_of_laravel else traces.variable, traces.setting):
            if found := pattern.search(text):
                yield tree.seen("provider", file, found.start())
    for file, text in sources:
        if found := traces.url.search(text):
            yield tree.seen("provider", file, found.start())


def _settings(tree: Tree, places: list[str]) -> Iterator[str]:
    """Yield the settings files: env files and their templates, and files of Alembic, Prisma and Rails."""
    for folder in places:
        for name in tree.files[folder]:
            # devinit writes ENVIRONMENT_FILE itself: it would keep a server that the code no longer uses.
            is_env = name.startswith(".env") and name != ENVIRONMENT_FILE
            last = folder.rpartition("/")[2]
            if (
                is_env
                or name == "alembic.ini"
                or (last, name) in (("prisma", "schema.prisma"), ("config", "database.yml"))
            ):
                yield joined(folder, name)


def _sources(tree: Tree, folders: Iterable[str]) -> list[tuple[str, str]]:
    """Return the source files below these folders, with their text without comments."""
    names = list(dict.fromkeys(file for folder in folders for file in tree.sources(folder, _SOURCES)))
    plain = (name for name in names if "test" not in name.rpartition("/")[2].lower())
    return [(name, _without_comments(tree.text(name))) for name in list(plain)[:_MOST_READ]]


def _others(
    tree: Tree, places: list[str], declared: list[Dependency], has_sqlite: list[str]
) -> Iterator[str]:
    """Yield a note for each required server that devinit does not provide."""
    named: set[str] = set()
    for folder in places:
        file = joined(folder, "schema.prisma")
        if (found := _PRISMA.search(tree.text(file))) and (name := _PRISMA_NAMES[found[1]]) not in named:
            named.add(name)
            yield _needed(name, "it", tree.seen("provider", file, found.start()))
    for name, packages in NOT_PROVIDED.items():
        users = (
            each
            for each in declared
            if each.name in packages and not (name == "MySQL" and _is_beside(each, has_sqlite))
        )
        user = next(users, None)
        if user is not None and name not in named:
            yield _needed(name, user.name.partition(":")[2], tree.seen("provider", user.file, user.position))


def _elsewhere(tree: Tree, declared: list[Dependency], sources: list[tuple[str, str]]) -> Iterator[str]:
    """Yield a note for each driver whose server is never on this machine."""
    if any(LOCAL_PROXY.search(text) for _, text in sources):
        return
    for each in {each.name: each for each in reversed(declared) if each.name in ELSEWHERE}.values():
        place = tree.seen("provider", each.file, each.position).place
        driver, service = each.name.partition(":")[2], ELSEWHERE[each.name]
        yield f"{place}: {driver} reaches {service}, and no server on this machine: keep its URL in a .env"


def _needed(server: str, user: str, said: Evidence) -> str:
    return f"{said.place}: {user} needs {server}, {not_run(server)}"


def _without_comments(text: str) -> str:
    """Return a text with comments replaced by blanks; all positions stay the same."""
    return _COMMENT.sub(lambda found: " " * len(found[0]), text)


def needs_of(tree: Tree, folder: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of servers that the program in a folder uses, judging by its own packages."""
    own = {each.name for each in dependencies_of(tree, folder)}
    has_prisma = "node:@prisma/client" in own
    return tuple(
        kind for kind in kinds if own & PROVIDED[kind].packages or (kind == "postgres" and has_prisma)
    )
