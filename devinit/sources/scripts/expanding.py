"""Expand a script into the programs that it starts, through other scripts and into packages."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, folder_of, joined, understood
from devinit.sources.commands.listening import CODE
from devinit.sources.commands.programs import program_of, words_of
from devinit.sources.commands.script_runs import ScriptRun
from devinit.sources.commands.scripts import flags_behind
from devinit.sources.commands.splitting import Prefix, prefix_of, split, steps_before
from devinit.sources.commands.workspace import Package, needed_by, selected
from devinit.sources.files import table
from devinit.sources.packages import line_of_script, package_manager, read_package, tool_of
from devinit.sources.scripts.turbo import before_task, tasks_before
from devinit.system.bounds import Bounds
from devinit.toolchains.node.managers import MANAGERS

DEEPEST = 6
"""Levels of scripts that run other scripts."""
MOST_PROGRAMS = 50
MOST_COMMANDS = 500
"""Limit of the commands that are looked at: malformed scripts can lead to any number."""
_KIND = re.compile(r"\A(?:dev|start|serve|watch|run)[:.-]|[:.-](?:dev|start|serve|watch|run)\Z")
"""Matches the part of a script's name that says what it does, without the program: `dev:web`, `api:dev`."""
_PORT = re.compile(r"(?<=:)\d{2,5}\b")
_GENERIC = frozenset({"", "index", "main", "app", "src", "dist", "build", "lib", "bin", "out", "www"})
"""Names of files and folders that do not identify a program."""
_OF_THE_SHELL = frozenset(
    {"cd", "echo", "printf", ".", "source", "export", "set", "unset", "sleep", "true", ":", "clear"}
)
"""Commands of the shell that affect no other process, or that need no waiting."""
_INSTALLERS = MANAGERS | {"pip", "pip3", "poetry", "pipenv", "pdm", "bundle", "composer", "uv"}
_INSTALLING = frozenset({"install", "i", "ci", "add", "sync"})
_HIDDEN = frozenset({"npm_config", "npm_package"})
"""Prefixes of variables that only a package manager sets."""


class Step(Struct, frozen=True, kw_only=True):
    """One command that a script leads to."""

    command: str
    folder: str
    """Where it runs, relative to the project's folder."""
    name: str
    """A name from the script, its folder or its program."""
    lines: tuple[Evidence, ...]
    """The lines of package.json that led to it, the innermost first."""
    package: str = ""
    """Name of the workspace package in which it runs."""
    prefix: Prefix = Prefix()
    """Variables and files that apply to all programs of the script."""
    waits_for: tuple[int, ...] = ()
    """Ports that other services must answer on first."""
    ends: bool = False
    """Whether it must end before the other programs start."""


class Way(Struct, frozen=True, kw_only=True):
    """The path of scripts that led to a command."""

    folder: str = ""
    name: str = ""
    lines: tuple[Evidence, ...] = ()
    package: str = ""
    prefix: Prefix = Prefix()
    waits_for: tuple[int, ...] = ()
    seen: tuple[tuple[str, str], ...] = ()
    """Folder and name of each script on the path."""


class Expansion:
    """Follows the scripts of one project."""

    def __init__(self, bounds: Bounds, packages: Mapping[str, Package]) -> None:
        self._bounds = bounds
        self._packages = packages
        self.notes: list[str] = []
        self._commands = 0
        self._known: dict[str, tuple[dict[str, str], str]] = {}

    def steps(self, script: str) -> list[Step]:
        """Return the programs that a script of the project's root package.json starts."""
        run = ScriptRun(runner="npm", scripts=(script,))
        found: list[Step] = []
        for step in self._script(run, Way()):
            if len(found) == MOST_PROGRAMS:
                self.notes.append(
                    f"package.json: only the first {MOST_PROGRAMS} programs of `{script}` are started"
                )
                break
            found.append(step)
        if self._commands > MOST_COMMANDS:
            self.notes.append(
                f"package.json: `{script}` leads to more than {MOST_COMMANDS} commands; it is not followed on"
            )
        return found

    def _script(self, run: ScriptRun, way: Way) -> Iterator[Step]:
        """Yield the programs that a script in a folder starts, with its `pre` hook first."""
        script, folder = run.scripts[0], way.folder
        scripts = self._scripts(folder)
        lines = (*line_of_script(self._path(folder), script, self._bounds), *way.lines)
        further = replace(
            way, name=way.name or _name_by(script), lines=lines, seen=(*way.seen, (folder, script))
        )
        hook = f"pre{script}"
        if hook in scripts:
            yield from self._before(scripts[hook], further)
        yield from self._command(scripts[script], further)

    def _command(self, text: str, way: Way) -> Iterator[Step]:
        """Yield the programs that a command starts."""
        self._commands += 1
        if self._commands > MOST_COMMANDS:
            return
        inner, rest = folder_of(text)
        if inner and self._holds(joined(way.folder, inner)):
            way = replace(way, folder=joined(way.folder, inner))
            text = rest
        manager = self._manager(way.folder)
        found = split(text, self._scripts(way.folder), manager)
        if found is not None:
            for command in found.before:
                yield from self._before(command, way)
            way = _with_prefix(way, steps_before(text)[1])
            for part in found.parts:
                name = part.name or (way.name if len(found.parts) == 1 else "")
                yield from self._command(part.command, replace(way, name=name))
            return
        yield from self._program(text, way)

    def _program(self, text: str, way: Way) -> Iterator[Step]:
        """Yield the programs that a single command starts."""
        head, last = steps_before(text)
        waiting = [each for each in head if program_of(words_of(each))[:1] == ["wait-on"]]
        if waiting:
            ports = tuple(int(digits) for each in waiting for digits in _PORT.findall(each))
            way = replace(way, waits_for=ports)
        installing = [each for each in head if _installs(each)]
        for each in installing:
            self.notes.append(f"{_place(way)}: `{each}` is not run with each start")
        if waiting or installing:
            head = tuple(each for each in head if each not in (*waiting, *installing))
            text = " && ".join((*head, last))
        command = understood(last)
        run = command.runs and replace(command.runs, folder=joined(command.folder, command.runs.folder))
        if run is not None and run.is_here and self._is_too_deep(run, way):
            self.notes.append(
                f"{_place(way)}: `{last}` is not started, because it leads back to itself, or too far"
            )
            return
        if run is None or not self._is_followed(run, way):
            name = way.name or usual_name(joined(way.folder, command.folder), text)
            yield _step(text, replace(way, name=name))
            return
        for each in head:
            yield from self._before(each, way)
        way = _with_prefix(way, last)
        if run.is_here:
            yield from self._script_or_run(run, replace(way, folder=joined(way.folder, run.folder)))
        else:
            yield from self._in_packages(run, way)

    def _in_packages(self, run: ScriptRun, way: Way) -> Iterator[Step]:
        """Yield the programs that a command starts in the packages of the workspace."""
        chosen = selected(self._packages, run.packages)
        count = 0
        if run.runner == "turbo":
            yield from self._before_turbo(run, chosen, way)
        for script in run.scripts:
            for package in chosen:
                if script not in package.scripts:
                    continue
                count += 1
                name = way.name if len(chosen) == 1 and len(run.scripts) == 1 and not run.everywhere else ""
                several = len(run.scripts) > 1
                base = package.folder.rpartition("/")[2] or package.name
                name = name or (f"{base}-{_name_by(script) or script}" if several else base)
                inner = replace(way, folder=package.folder, name=name, package=package.name)
                here = ScriptRun(runner=self._manager(""), scripts=(script,), arguments=run.arguments)
                yield from self._script_or_run(here, inner)
        if not count:
            scripts = " and ".join(f"`{each}`" for each in run.scripts)
            self.notes.append(f"{_place(way)}: no package of the workspace has a {scripts} script")

    def _before_turbo(self, run: ScriptRun, chosen: list[Package], way: Way) -> Iterator[Step]:
        """Yield the tasks before a task of turbo, which runs them itself, as it knows what is up to date."""
        for script in run.scripts:
            having = [each for each in chosen if script in each.scripts]
            names = {each.name for each in having}
            needed = {name for each in having for name in needed_by(self._packages, each)} - names
            used = [self._packages[name] for name in sorted(needed)]
            for task, line in tasks_before(script, self._bounds):
                if command := before_task(task, having, used, self._scripts("")):
                    name = task.rpartition("#")[2].removeprefix("^")
                    further = replace(way, folder="", name=name, lines=(line, *way.lines), package="")
                    yield replace(_step(command, further), ends=True)

    def _script_or_run(self, run: ScriptRun, way: Way) -> Iterator[Step]:
        """Yield the programs of a script, or one step that has the package manager run the script."""
        script = run.scripts[0]
        words = self._scripts(way.folder)[script]
        if self._leads_on(words, script, run, way):
            yield from self._script(run, way)
            return
        lines = (*line_of_script(self._path(way.folder), script, self._bounds), *way.lines)
        command = f"{self._manager(way.folder)} run {script}"
        given = " ".join(run.arguments)
        command += flags_behind(understood(command), given)
        name = way.name or _name_by(script) or usual_name(way.folder, words)
        yield _step(command, replace(way, name=name, lines=lines))

    def _leads_on(self, words: str, script: str, run: ScriptRun, way: Way) -> bool:
        """Return whether a script should be expanded instead of being run by its package manager."""
        if (way.folder, script) in way.seen or len(way.seen) >= DEEPEST:
            return False
        scripts = self._scripts(way.folder)
        if split(words, scripts, "npm") is not None:
            return True
        inner = understood(words)
        last = understood(steps_before(words)[1])
        followed = last.runs and replace(last.runs, folder=joined(last.folder, last.runs.folder))
        if followed is not None and self._is_followed(followed, way):
            return True
        has_hooks = f"pre{script}" in scripts or f"post{script}" in scripts
        if run.arguments or has_hooks or any(each in words for each in _HIDDEN) or tool_of(words):
            return False
        # It has its own folder, or a port that can only move when the command is known.
        moves = inner.takes_port and not inner.is_fixed and (inner.port is not None or _is_told(inner))
        return bool(inner.folder) or moves

    def _is_too_deep(self, run: ScriptRun, way: Way) -> bool:
        """Return whether a script is already on the path, or the path is too long."""
        folder, script = joined(way.folder, run.folder), run.scripts[0]
        is_there = self._holds(folder) and script in self._scripts(folder)
        return is_there and ((folder, script) in way.seen or len(way.seen) >= DEEPEST)

    def _is_followed(self, run: ScriptRun, way: Way) -> bool:
        """Return whether the scripts that a command runs can be expanded."""
        if not run.is_here:
            return bool(self._packages) and run.runner in (*MANAGERS, "turbo", "nx", "lerna", "wsrun")
        folder = joined(way.folder, run.folder)
        script = run.scripts[0]
        return self._holds(folder) and script in self._scripts(folder)

    def _before(self, command: str, way: Way) -> Iterator[Step]:
        """Yield a step that must end first; installing packages is not part of a start."""
        words = words_of(command)
        if _installs(command):
            self.notes.append(f"{_place(way)}: `{command}` is not run with each start")
        elif not words or words[0] not in _OF_THE_SHELL:
            yield _ending(command, way)

    def _scripts(self, folder: str) -> dict[str, str]:
        return self._read(folder)[0]

    def _manager(self, folder: str) -> str:
        return self._read(folder)[1]

    def _read(self, folder: str) -> tuple[dict[str, str], str]:
        """Return the scripts and the package manager of the package.json in a folder."""
        if folder not in self._known:
            path = self._path(folder)
            package = read_package(path, self._bounds) or {}
            scripts = {
                name: words for name, words in table(package, "scripts").items() if isinstance(words, str)
            }
            self._known[folder] = scripts, package_manager(self._bounds, path, package)
        return self._known[folder]

    def _path(self, folder: str) -> Path:
        return self._bounds.root / folder if folder else self._bounds.root

    def _holds(self, folder: str) -> bool:
        path = self._path(folder)
        # Path.is_dir() raises for a path that is too long.
        return ".." not in folder.split("/") and os.path.isdir(path) and self._bounds.holds(path)  # noqa: PTH112


def _installs(command: str) -> bool:
    """Return whether a command installs the dependencies of a project."""
    program = program_of(words_of(command))
    if not program or program[0] not in _INSTALLERS:
        return False
    return (program[0] in MANAGERS and len(program) == 1) or any(word in _INSTALLING for word in program[1:3])


def _is_told(command: Command) -> bool:
    """Return whether a server takes its port as an option."""
    return command.serves is not None and bool(command.serves.given)


def usual_name(folder: str, text: str) -> str:
    """Return a name for a program without a script name: from its folder, else from its file or kind."""
    if folder:
        return folder.rpartition("/")[2]
    command = understood(text)
    program = next(iter(command.program), "")
    if command.serves is None:
        words = " ".join(command.program).split()
        file = next((each for each in words if each.endswith(CODE)), program)
        parts = [each for each in file.partition(".")[0].split("/") if each not in _GENERIC]
        return parts[-1] if parts else "server"
    return "frontend" if program in programs.BROWSER_SERVERS | {"next", "nuxt", "astro"} else "backend"


def _name_by(script: str) -> str:
    """Return the program in a script's name: `web` for `dev:web` and `web:dev`; "" for a plain `dev`."""
    plain = _KIND.sub("", script)
    return "" if plain in ("dev", "start", "serve", "watch", "run", "develop") else plain


def _with_prefix(way: Way, command: str) -> Way:
    """Return the path with the variables and files that precede the program of a command."""
    own, outer = prefix_of(words_of(command)), way.prefix
    env = tuple(dict((*outer.env, *own.env)).items())
    return replace(way, prefix=Prefix(env, (*outer.env_files, *own.env_files)))


def _step(command: str, way: Way) -> Step:
    return Step(
        command=command,
        folder=way.folder,
        name=way.name,
        lines=way.lines,
        package=way.package,
        prefix=way.prefix,
        waits_for=way.waits_for,
    )


def _ending(command: str, way: Way) -> Step:
    """Return the step of a command that must end first."""
    run = understood(command).runs
    name = _name_by(run.scripts[0]) if run is not None else ""
    return replace(_step(command, replace(way, name=name or "prepare")), ends=True)


def _place(way: Way) -> str:
    return way.lines[0].place if way.lines else "package.json"
