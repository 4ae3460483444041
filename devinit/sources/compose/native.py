"""The native equivalent of a container's command, as far as its words are certain.

Parts that only work in an image are dropped: its paths, entrypoint scripts, package installations, and waits for
other containers. The rest must be a known program, or a file that exists.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path, PurePosixPath

from msgspec import Struct

from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, understood
from devinit.sources.commands.process import problem_of
from devinit.sources.commands.programs import words_of
from devinit.sources.commands.scripts import Script, script_of
from devinit.sources.compose.roles import folder_for
from devinit.sources.files import read
from devinit.system.bounds import Bounds
from devinit.toolchains.node.managers import MANAGERS

_QUOTED = re.compile(r"""'[^']*'|"[^"\\]*"|\\.""", re.DOTALL)
_OPAQUE = re.compile(r"[|`\n<>()]|(?<!&)&(?!&)|\$\(")
_SEPARATOR = re.compile(r"&&|;")
_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_ENTRYPOINT = re.compile(r".*\.sh|tini|dumb-init|docker-entrypoint|entrypoint|catatonit|init")
_INSTALLS = re.compile(
    r"(?:python3? -m )?(?:pip3? install|uv (?:sync|pip)|poetry install|pdm install|pipenv install|apt-get|apk "
    r"|(?:npm|pnpm|yarn|bun) (?:ci|install|i)(?!\S)|yarn$|bundle install|composer install|go mod|corepack"
    r"|chmod|mkdir|rm -f tmp/pids|rm -f /)"
)
"""The beginning of steps that only the image needs."""
_WAITS = re.compile(r"(?:\S*/)?(?:wait[-_]for|dockerize|sleep \d|nc -z|pg_isready|until |set -|echo )")
_IDLE = frozenset({"sleep", "tail", "true", "cat"})
IDLE = "no command is stated"
"""The reason why a container that only stays idle is not started."""
_IN_THE_IMAGE = re.compile(r"/(?:usr/)?(?:local/)?s?bin/|/opt/[\w.-]{1,50}/bin/")
"""Folders of programs, which natively come from PATH."""
_PATH = re.compile(r"(?<![\w./:$}~-])/[A-Za-z_][\w./-]*")
_INTERPRETER = re.compile(r"(?<![\w./-])(?:python[\d.]*|node|ruby|php|bun|deno|tsx|ts-node|nodemon)(?![\w-])")
_MODULE = re.compile(r"[A-Za-z_][\w.]{0,200}")
_BUILT = frozenset({("next", "start"), ("nuxt", "start"), ("vite", "preview"), ("astro", "preview")})
"""Programs that serve an earlier build."""
_COMPILED = frozenset(
    {("go", "run"), ("cargo", "run"), ("cargo", "watch"), ("dotnet", "watch"), ("dotnet", "run")}
)
_RELOADERS = frozenset({"air", "nodemon", "tsx", "ts-node", "ts-node-dev", "mix"})
_MIGRATORS = frozenset(
    {
        "alembic",
        "prisma",
        "manage.py",
        "knex",
        "drizzle-kit",
        "sequelize",
        "typeorm",
        "flask",
        "rails",
        "rake",
    }
    | {"artisan", "aerich", "goose", "dbmate", "sqlx", "diesel"}
)
_DESTROYS = re.compile(
    r"(?<![\w-])(?:reset|flush|drop|migrate\s+dev|--force-reset|--accept-data-loss)(?![\w-])"
)
_HOST_OPTION = re.compile(
    r"(?:(?<![ \t])[ \t]{1,9}--)?(?<![ \t])[ \t]{1,9}(?:--host|-H)(?:[= \t]127\.0\.0\.1)?$"
)
MOST_STEPS = 20


class Surroundings(Struct, frozen=True):
    """The native place for a container's command."""

    directory: Path
    bounds: Bounds
    folders: tuple[tuple[PurePosixPath, Path], ...]
    """Folders of the container with their folders in the repository, the longest first."""
    files: tuple[tuple[PurePosixPath, Path], ...] = ()
    """The same for files."""

    def native_path(self, path: PurePosixPath) -> Path | None:
        """Return the native path for a path of the container; None if there is none."""
        return next((source for target, source in self.files if target == path), None) or folder_for(
            path, self.folders
        )


class Native(Struct, frozen=True, kw_only=True):
    """A command that runs natively."""

    text: str
    before: tuple[str, ...] = ()
    """Commands that must run before it."""
    folder: Path
    """The folder in which it runs."""
    command: Command
    script: Script | None = None
    only_works: bool = False
    """Whether it is known to accept no requests."""


class Refused(ValueError):
    """The error for a command that does not run natively, with the reason."""


def words_run(
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...] | None,
    of_image: tuple[tuple[str, ...], tuple[str, ...]],
) -> tuple[str, ...]:
    """Return the full command of a container; `of_image` is the entrypoint and the command of its image."""
    before, usual = of_image
    if entrypoint is not None:
        return (*_plain_entrypoint(entrypoint, command or ()), *(command or ()))
    chosen = command if command is not None else usual
    if before[:2] == ("sh", "-c"):
        return before
    return (*_plain_entrypoint(before, chosen), *chosen)


def _plain_entrypoint(entrypoint: tuple[str, ...], command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entrypoint if it is a program, and nothing for a script that prepares the container."""
    name = entrypoint[0].rpartition("/")[2] if entrypoint else ""
    return () if command and _ENTRYPOINT.fullmatch(name) else entrypoint


def as_text(words: tuple[str, ...]) -> str:
    """Return words as a command for a shell."""
    words = tuple(word for word in words if word)
    if words and words[0].rpartition("/")[2] in _SHELLS and len(words) > 2:  # noqa: PLR2004 - sh -c TEXT
        option = next((index for index, word in enumerate(words) if re.fullmatch(r"-\w{0,5}c", word)), None)
        if option is not None and option + 1 < len(words):
            return words[option + 1]
    return shlex.join(words)


def steps_of(text: str) -> list[str]:
    """Return the successive commands of a text. Raise Refused if it is more complex."""
    joined = re.sub(r"\\\n|(?<=&&)[ \t]*\n", " ", text.strip())
    joined = "; ".join(line.strip() for line in joined.split("\n") if line.strip())
    plain = _QUOTED.sub(lambda found: "x" * len(found[0]), joined)
    if _OPAQUE.search(plain):
        raise Refused("its command is more than programs one after the other")
    steps, start = [], 0
    for found in _SEPARATOR.finditer(plain):
        steps.append(joined[start : found.start()])
        start = found.end()
    steps.append(joined[start:])
    return [step.strip().removeprefix("exec ").strip() for step in steps if step.strip()][:MOST_STEPS]


def native(words: tuple[str, ...], place: Surroundings, *, is_job: bool) -> Native:
    """Return the native equivalent of a container's command. Raise Refused, with the reason."""
    text = _of_script(words, place) or as_text(words)
    text = _IN_THE_IMAGE.sub("", text).replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced
    if problem := problem_of(text.replace("\n", " ")):
        raise Refused(problem)
    steps = [_without_wait(step) for step in steps_of(text)]
    steps = [step for step in steps if step and not _INSTALLS.match(step) and not _WAITS.match(step)]
    folder, steps = _folder(steps, place)
    if not steps or words_of(steps[-1])[:1] in ([each] for each in _IDLE):
        raise Refused(IDLE)
    steps = [_with_paths(step, folder, place) for step in steps]
    for step in steps[:-1]:
        _check_step(step, folder)
    return _last(steps, folder, place.bounds, is_job=is_job)


def _without_wait(step: str) -> str:
    """Return the command after `wait-for-it.sh db:5432 --`."""
    if _WAITS.match(step) and " -- " in step:
        return step.partition(" -- ")[2].strip()
    return step


def _of_script(words: tuple[str, ...], place: Surroundings) -> str:
    """Return the commands of a script that is a container's whole command; "" if it is something else."""
    names = [word for word in words if word.rpartition("/")[2] not in _SHELLS and not word.startswith("-")]
    if len(names) != 1 or not names[0].endswith(".sh") or " " in names[0]:
        return ""
    wanted = PurePosixPath(names[0])
    path = place.native_path(wanted) if wanted.is_absolute() else place.directory / wanted
    if path is None or not path.is_relative_to(place.bounds.root):
        return ""
    lines = read(path, place.bounds).splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _folder(steps: list[str], place: Surroundings) -> tuple[Path, list[str]]:
    """Return the folder of the steps, and the steps after `cd FOLDER`."""
    folder = place.directory
    while steps and steps[0].startswith("cd "):
        wanted = PurePosixPath(steps[0][3:].strip())
        native_folder = place.native_path(wanted) if wanted.is_absolute() else folder / wanted
        if native_folder is None or not (os.path.isdir(native_folder) and place.bounds.holds(native_folder)):  # noqa: PTH112
            raise Refused(f"its command changes to {wanted}, which only the container has")
        folder, steps = Path(os.path.normpath(native_folder)), steps[1:]
    return folder, steps


def _with_paths(step: str, folder: Path, place: Surroundings) -> str:
    """Return a step with the paths of the container replaced."""

    def replaced(found: re.Match[str]) -> str:
        path = place.native_path(PurePosixPath(found[0]))
        if path is None or not path.is_relative_to(folder):
            raise Refused(f"its command names {found[0]}, which only the container has")
        return shlex.quote(str(path.relative_to(folder)))

    return _PATH.sub(replaced, step)


def _check_step(step: str, folder: Path) -> None:
    """Raise Refused if a step before the last one is not certain."""
    program = list(understood(step).program)
    is_known = bool(program) and program[0] in _MIGRATORS
    if _DESTROYS.search(step) or not (is_known or _is_there(step, program, folder)):
        raise Refused(f"its command runs `{step[:60]}` first")


def _last(steps: list[str], folder: Path, bounds: Bounds, *, is_job: bool) -> Native:
    """Return the command of all steps, the last of which keeps running. Raise Refused if it is unknown."""
    last = _of_go(steps[-1], folder)
    command = understood(last)
    if command.program[:1] and command.program[0] in MANAGERS:
        command = understood(_HOST_OPTION.sub("", last))
    at = folder / command.folder if command.folder else folder
    script = script_of(command, at, bounds)
    before = tuple(steps[:-1])
    if before and at != folder:
        raise Refused("its commands work in several folders")
    program = list(command.program)
    if not command.folder and is_job and _DESTROYS.search(last):
        raise Refused("its command may delete data")
    if tuple(program[:2]) in _BUILT:
        raise Refused("its command serves what was built for production")
    if script is not None and not script.several:
        return Native(
            text=script.command,
            before=before,
            folder=at,
            command=command,
            script=script,
            only_works=script.only_works,
        )
    only_works = programs.only_works("", program)
    is_known = command.serves is not None or only_works or tuple(program[:2]) in _COMPILED
    is_known = is_known or (bool(program) and program[0] in _RELOADERS) or _is_there(last, program, at)
    if is_known or (is_job and bool(program) and program[0] in _MIGRATORS):
        text = command.written if only_works and not command.uses_port else command.text
        return Native(text=text, before=before, folder=at, command=command, only_works=only_works)
    raise Refused(f"`{last[:60]}` is no program that devinit knows to run")


def _of_go(step: str, folder: Path) -> str:
    """Return what runs a program from its source that an image has built from `cmd/NAME`: `./NAME`."""
    first, space, rest = step.partition(" ")
    package = f"cmd/{first.rpartition('/')[2]}"
    is_built = first.rpartition("/")[0] in ("", ".", "bin", "./bin") and _MODULE.fullmatch(
        package[4:].replace("-", "_")
    )
    if is_built and all(os.path.isfile(folder / each) for each in ("go.mod", f"{package}/main.go")):  # noqa: PTH113 - too long a path raises
        return f"go run ./{package}{space}{rest}"
    return step


def _is_there(step: str, program: list[str], folder: Path) -> bool:
    """Whether a step runs a file of the repository with an interpreter."""
    if not program or not _INTERPRETER.search(step) or len(program[0]) > 200:  # noqa: PLR2004 - no path
        return False
    path = folder / program[0]
    if _MODULE.fullmatch(program[0]):
        module = folder / program[0].replace(".", "/")
        candidates = (path, module.with_name(f"{module.name}.py"), module / "__main__.py")
        return any(os.path.isfile(each) for each in candidates)  # noqa: PTH113 - too long a path raises
    return not Path(program[0]).is_absolute() and os.path.isfile(path)  # noqa: PTH113
