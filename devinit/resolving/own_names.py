"""Decide on the variables that the project sets itself or has a form for: the value that each service gets.

A project without such files loads no further modules.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from devinit.config.env_files import bounds_for, example_env_files, in_bounds, loaded_env_files
from devinit.errors import ConfigError
from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.common import first_database
from devinit.runtime.dotenv import Stated, stated_in
from devinit.runtime.reading.files import code_files

if TYPE_CHECKING:
    from devinit.runtime.forms.migrations import Value
    from devinit.runtime.forms.statement import Decision, Source, Statement
    from devinit.runtime.reading.folder import Folder
    from devinit.runtime.reading.read import Code


SHELL = "the shell that called devinit"
DEVINIT = "what devinit gives"
"""Names of sources that messages put after "in"."""


class Environment(NamedTuple):
    """The environment of a service's process, with the sources of its values."""

    values: Mapping[str, str]
    stated: Mapping[str, Stated]
    """Values in the `.env` files of the service."""
    caller: Mapping[str, str]

    def place_of(self, name: str, service: Service, project: Project) -> str:
        """Return where devinit.toml sets a variable; "" when it does not."""
        if name in service.left_out or name in project.left_out:
            return ""
        return "its `env`" if name in service.env else "[environment]" if name in project.environment else ""


class Decided(NamedTuple):
    """The last decisions on a service, with their input."""

    statements: list[Statement]
    standard: Mapping[str, str]
    decisions: dict[str, Decision]


class OwnNames:
    """Decides on the variables of each service, again whenever a file or an address has changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[tuple[Path, int, int], dict[str, Stated]] = {}
        """Files that belong to no service, as last read."""
        self._folders: dict[Path, Folder] = {}
        self._code: dict[Path, dict[str, Code]] = {}
        """Folder → the variables that its code read at the last start; not updated when a process starts again."""
        self._last: dict[str, Decided] = {}

    def decided(
        self,
        project: Project,
        endpoints: Mapping[str, Endpoint],
        standard: Mapping[str, str],
        service: Service,
        given: Mapping[str, Stated],
    ) -> dict[str, Decision]:
        """Return the decisions on the variables of a service, keyed by name.

        `standard` has the values that devinit sets by itself, `given` those in `.env` files of the service.
        """
        # Values in devinit.toml have priority over those in files.
        explicit = {*project.environment, *service.env}
        statements = [each for each in self._statements(project, service, given) if each.name not in explicit]
        if not statements:
            return {}
        last = self._last.get(service.name)
        if last is None or last.statements != statements or last.standard != standard:
            # Most projects have such files, but a project without them must not load the rule.
            from devinit.runtime.forms.deciding import Situation, decisions
            from devinit.runtime.forms.known import servers_of

            servers = servers_of(project, endpoints)
            found = decisions(statements, Situation(servers=servers, service=service.name, standard=standard))
            where = self._overriding(self._code_of(project, service))
            kept = {name: overridden(each, where) for name, each in found.items() if name not in explicit}
            last = self._last[service.name] = Decided(statements, standard, kept)
        return last.decisions

    def obstacle_to(
        self,
        command: str,
        project: Project,
        endpoints: Mapping[str, Endpoint],
        service: Service,
        environment: Environment,
    ) -> str | None:
        """Return why a detected command may change a database that is not devinit's; None when it cannot."""
        from devinit.runtime.forms.known import servers_of  # as above, and for such a command alone
        from devinit.runtime.forms.migrations import Value, migrates, obstacle
        from devinit.runtime.forms.statement import Source
        from devinit.runtime.reading.tools import ENV_FILES, addresses_of_tools, folders_of

        if not migrates(command):
            return None
        statements = list(self._statements(project, service, environment.stated))
        folders = folders_of(command, service.directory, bounds_for(self._root, service).holds)
        loaded = in_bounds(self._root, service, (each / name for each in folders for name in ENV_FILES))
        statements += self._said(self._values_of(loaded), Source.FILE)
        fixed = [
            Value(name=each.key, text=each.url, place=f"{self._shown(each.path)}{each.at}")
            for folder in folders
            for each in addresses_of_tools(folder, command)
        ]
        return obstacle(
            [*fixed, *self._values(project, service, environment, statements)],
            statements,
            servers_of(project, endpoints),
            constants=self._constants(project, service, command),
        )

    def _values(
        self, project: Project, service: Service, environment: Environment, statements: Iterable[Statement]
    ) -> list[Value]:
        """Return the values that a process may read: its environment, and files that it loads by itself."""
        from devinit.runtime.forms.migrations import Value  # for a migration alone
        from devinit.runtime.forms.statement import Source

        said = {
            each.name: Value(name=each.name, text=each.value, place=each.place)
            for each in reversed([*statements])
            if each.source is Source.FILE
        }
        overrides = self._overriding(self._code_of(project, service))
        mentioned = {each.name.upper() for each in statements}
        ignored = _of_further_servers(project)
        found: dict[str, list[Value]] = {"": [], SHELL: []}
        for name, text in environment.values.items():
            if overrides and name in said:
                continue
            place = environment.place_of(name, service, project)
            if place or name.upper() in mentioned or not name.startswith(ignored):
                of_file = said[name].place if name in said and said[name].text == text else ""
                place = place or of_file or (SHELL if environment.caller.get(name) == text else DEVINIT)
                value = Value(name=name, text=text, place=place)
                found[SHELL if place == SHELL else ""].append(value)
        by_itself = [each for name, each in said.items() if overrides or name not in environment.values]
        return [*by_itself, *found[""], *found[SHELL]]

    def _constants(self, project: Project, service: Service, command: str) -> list[tuple[str, str]]:
        """Return the databases that alembic.ini and the code of a service have as constants, with their places."""
        # The first brings a parser; both for a migration alone.
        from devinit.runtime.reading.folder import databases_named_in
        from devinit.runtime.reading.tools import address_of_alembic

        others = {str(each.directory) for each in project.services.values()} - {str(service.directory)}
        of_alembic = address_of_alembic(service.directory, command)
        named = databases_named_in(code_files(service.directory, others))
        return [
            *([(of_alembic.url, self._shown(of_alembic.path))] if of_alembic else ()),
            *((each.url, f"{self._shown(path)}:{each.line}") for path, each in named),
        ]

    def place(self, stated: Stated) -> str:
        """Return where a file states a value: `backend/.env:3`."""
        return f"{self._shown(stated.path)}:{stated.line}"

    def read_code(self, project: Project) -> None:
        """Read again which variables the code of the services reads, where it has changed. Blocking."""
        services = (each for each in project.services.values() if kind_of(each).runs_a_command)
        for folder in dict.fromkeys(each.directory for each in services):
            self._code[folder] = self._code_in(folder, project)

    def _code_in(self, folder: Path, project: Project) -> dict[str, Code]:
        others = {
            each.directory for each in project.services.values() if each.directory.is_relative_to(folder)
        } - {folder}
        files = code_files(folder, {str(each) for each in others})
        if not files:
            return {}
        if folder not in self._folders:
            from devinit.runtime.reading.folder import Folder  # it brings a parser, 5 ms

            self._folders[folder] = Folder()
        return self._folders[folder].code(files)

    def _statements(
        self, project: Project, service: Service, files: Mapping[str, Stated]
    ) -> Iterator[Statement]:
        """Yield the statements of files and code on variables of a service, highest priority first."""
        code = self._code_of(project, service)
        loaded = self._values_of(loaded_env_files(self._root, service))
        named = [service.directory / name for each in code.values() for name in each.env_files]
        beside = self._values_of(path for path in in_bounds(self._root, service, named))
        examples = self._values_of(reversed([*example_env_files(self._root, service)]))
        if not (files or loaded or beside or examples or code):
            return
        from devinit.runtime.forms.statement import Source, Statement  # for a project with such files

        for values, source in ((loaded, Source.FILE), (files, Source.FILE), (beside, Source.FILE)):
            yield from self._said(values, source)
        for path, each in code.items():
            for read in each.reads:
                yield Statement(
                    name=read.name,
                    value=read.default,
                    file=self._shown(path),
                    line=read.line,
                    source=Source.CODE,
                    is_required=read.is_required,
                    separator=read.separator,
                    is_one_origin=read.is_one_origin,
                )
        yield from self._said(examples, Source.EXAMPLE)

    def _code_of(self, project: Project, service: Service) -> dict[str, Code]:
        if not kind_of(service).runs_a_command:
            return {}
        if service.directory not in self._code:
            # This supervisor has taken over running services, and has not started any itself.
            self._code[service.directory] = self._code_in(service.directory, project)
        return self._code[service.directory]

    def _overriding(self, code: Mapping[str, Code]) -> str:
        """Return the place where code lets a `.env` file override the environment; "" when none does."""
        places = (
            f"{self._shown(path)}:{each.overrides_at}" for path, each in code.items() if each.overrides_at
        )
        return next(places, "")

    def _shown(self, path: str | os.PathLike[str]) -> str:
        return os.path.relpath(path, self._root)

    def _said(self, values: Mapping[str, Stated], source: Source) -> Iterator[Statement]:
        from devinit.runtime.forms.statement import Statement  # as above

        for name, each in values.items():
            file = self._shown(each.path)
            yield Statement(name=name, value=each.value, file=file, line=each.line, source=source)

    def _values_of(self, paths: Iterable[Path]) -> dict[str, Stated]:
        """Return the values in these files, of which a later one wins; unreadable files are skipped."""
        found: dict[str, Stated] = {}
        for path in paths:
            with suppress(OSError):
                status = path.stat()
                key = path, status.st_mtime_ns, status.st_size
                if key not in self._read:
                    self._read = {other: said for other, said in self._read.items() if other[0] != path}
                    self._read[key] = _said_by(path)
                found |= self._read[key]
        return found


def _said_by(path: Path) -> dict[str, Stated]:
    try:
        return stated_in((path,), caller={})
    except ConfigError:
        return {}


def _of_further_servers(project: Project) -> tuple[str, ...]:
    """Return the prefixes of variables that devinit sets for external servers, except the first database."""
    first = first_database(project)
    return tuple(
        f"{variable_prefix(name)}_"
        for name, service in project.services.items()
        if service.external_url is not None and not service.is_reused and service is not first
    )


def overridden(decision: Decision, where: str) -> Decision:
    """Return a decision with the reason why it has no effect, if code lets the file override the environment."""
    from devinit.runtime.forms.statement import Source  # as above

    if not (where and decision.is_rewritten and decision.statement.source is Source.FILE):
        return decision
    return replace(decision, why=f"counts as it is: {where} lets the file override the environment")


def published(
    standard: dict[str, str], project: Project, decided: Mapping[str, Mapping[str, Decision]]
) -> dict[str, str]:
    """Return the runtime environment for files and commands."""
    if not any(decided.values()):
        return standard
    from devinit.runtime.forms.agreement import agreed  # as above

    stated = {name: standard[name] for name in project.environment if name in standard}
    return agreed(standard, project, decided.values()) | stated


def notes_of(decided: Mapping[str, Mapping[str, Decision]]) -> list[str]:
    """Return notes for the developer on values that stay or are incomplete, each once."""
    texts = (note_of(name, each) for name, found in decided.items() for each in found.values())
    return list(dict.fromkeys(text for text in texts if text))


def note_of(service: str, decision: Decision) -> str:
    """Return the note on a variable; "" when there is none."""
    from devinit.runtime.forms.statement import Outcome  # as above

    name, place = decision.statement.name, decision.statement.place
    match decision.outcome:
        case Outcome.REMOTE:
            return f"{service} {decision.why}: {name} in {place} is left as it is"
        case Outcome.UNSURE:
            return f"{name} in {place} is left as it is: it {decision.why}"
        case Outcome.GIVEN if decision.why:
            return f"{name} in {place} {decision.why}"
    return ""
