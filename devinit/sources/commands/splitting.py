"""Split a script that starts several programs: by concurrently, by npm-run-all, or by `&`. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from devinit.sources.commands.programs import program_of, words_of

MOST_PARTS = 50
_QUOTED = re.compile(r"""'[^']*'|"[^"\\]*"|\\.|\$\([^()]{0,500}\)""", re.DOTALL)
"""Matches text that is one word for the shell."""
_SIDE_BY_SIDE = re.compile(r"(?<![>&<|])&(?![>&])")
_ONE_AFTER_THE_OTHER = re.compile(r"&&|;")
_SHORT = re.compile(r"(npm|pnpm|yarn|bun|node|deno):(\S+)(.*)", re.DOTALL)
"""Matches concurrently's short form of `npm run NAME`."""
_RUN = {"node": "node --run", "deno": "deno task"}
_WILDCARD = re.compile(r"((?:npm|pnpm|yarn|bun) run|node --run|deno task)[ \t]+(\S*\*\S*)(.*)", re.DOTALL)
_OMITTED = re.compile(r"\(!([^()]*)\)\Z")
_CONCURRENTLY = frozenset({"concurrently", "conc"})
_VALUED = frozenset(
    {"-n", "--names", "--name-separator", "-p", "--prefix", "-c", "--prefix-colors", "-l", "--prefix-length", "-t"}
    | {"--timestamp-format", "-s", "--success", "-m", "--max-processes", "--restart-tries", "--restart-after"}
    | {"--hide", "--default-input-target", "--kill-signal", "--ks", "--teardown", "--cwd"}
)  # fmt: skip
"""Options of concurrently whose value is the next word."""
_RUN_ALL = {"npm-run-all": False, "npm-run-all2": False, "run-s": False, "run-p": True}
"""Program → whether it runs its scripts in parallel by default."""
_VALUED_OF_RUN_ALL = frozenset({"--max-parallel", "--npm-path"})
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=([^$`]*)", re.DOTALL)
_LOADERS = frozenset({"dotenv", "env-cmd", "dotenvx", "dotenv-flow"})
_FILE_OPTIONS = frozenset({"-e", "-f", "--file", "--env-file"})
_OPTIONS_OF_LOADERS = _FILE_OPTIONS | {"-v", "--env"}


class Part(Struct, frozen=True):
    """One of several commands."""

    command: str
    name: str = ""
    """Its name in the script; empty when it has none."""


class Split(Struct, frozen=True):
    """The programs that a script starts."""

    parts: tuple[Part, ...]
    """Programs that run in parallel."""
    before: tuple[str, ...] = ()
    """Commands that must end first, in this order."""


class Prefix(Struct, frozen=True):
    """Words before a program that apply to everything it starts."""

    env: tuple[tuple[str, str], ...] = ()
    """Variables with their values, without PORT: each program has its own."""
    env_files: tuple[str, ...] = ()
    """Env files that are loaded for it."""


def split(text: str, scripts: Mapping[str, str], manager: str) -> Split | None:
    """Return the programs that a script starts; None when it is a single program.

    `scripts` are those of the same package.json, and `manager` is the package manager that runs them.
    """
    plain = _QUOTED.sub(lambda found: "x" * len(found[0]), text)
    if _SIDE_BY_SIDE.search(plain):
        return _of_ampersands(text, plain)
    head, last = _steps(text, plain)
    words = words_of(last)
    program = program_of(words)
    name = program[0] if program else ""
    if name in _CONCURRENTLY:
        parts = tuple(_of_concurrently(program[1:], scripts))[:MOST_PARTS]
        before: tuple[str, ...] = ()
    elif name in _RUN_ALL:
        steps = list(_of_run_all(program[1:], scripts, manager, is_parallel=_RUN_ALL[name]))
        parts = tuple(steps[-1] if steps else ())[:MOST_PARTS]
        before = tuple(part.command for step in steps[:-1] for part in step)
    else:
        return None
    return Split(parts, (*head, *before)) if parts else None


def steps_before(text: str) -> tuple[tuple[str, ...], str]:
    """Return the commands of a script before its last one, and the last one."""
    return _steps(text, _QUOTED.sub(lambda found: "x" * len(found[0]), text))


def prefix_of(words: Sequence[str]) -> Prefix:
    """Return the assignments and the env files that precede the program of a command."""
    env: dict[str, str] = {}
    files: list[str] = []
    loader, option = "", ""
    for word in words[: len(words) - len(program_of(list(words)))]:
        if word.rpartition("/")[2] in _LOADERS:
            loader = word
        elif option:
            files += [word] if option in _FILE_OPTIONS else []
            option = ""
        elif loader and word.startswith("-") and word != "--":
            name, is_joined, value = word.partition("=")
            files += [value] if is_joined and name in _FILE_OPTIONS else []
            option = "" if is_joined or name not in _OPTIONS_OF_LOADERS else name
        elif found := _ASSIGNMENT.fullmatch(word):
            env[found[1]] = found[2]
    env.pop("PORT", None)
    return Prefix(tuple(env.items()), tuple(filter(None, files)))


def _steps(text: str, plain: str) -> tuple[tuple[str, ...], str]:
    ends = [(found.start(), found.end()) for found in _ONE_AFTER_THE_OTHER.finditer(plain)]
    starts = [0, *(end for _, end in ends)]
    pieces = [
        text[start:end].strip()
        for start, end in zip(starts, [*(each for each, _ in ends), len(text)], strict=True)
    ]
    pieces = [each for each in pieces if each]
    return (tuple(pieces[:-1]), pieces[-1]) if pieces else ((), "")


def _of_ampersands(text: str, plain: str) -> Split | None:
    """Return the commands that `&` joins; a `wait` at the end is none of them."""
    ends = [found.start() for found in _SIDE_BY_SIDE.finditer(plain)]
    starts = [0, *(end + 1 for end in ends)]
    pieces = (text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True))
    commands = [each for piece in pieces if (each := _without_brackets(piece)) not in ("", "wait")]
    return Split(tuple(map(Part, commands[:MOST_PARTS]))) if commands else None


def _without_brackets(piece: str) -> str:
    plain = piece.strip()
    if plain.startswith("(") and plain.endswith(")") and plain.count("(") == 1:
        plain = plain[1:-1].strip()
    return plain.removesuffix("&& wait").removesuffix("; wait").strip()


def _of_concurrently(words: list[str], scripts: Mapping[str, str]) -> Iterator[Part]:
    """Yield the commands of concurrently, with the names that it gives them."""
    commands: list[str] = []
    names, separator, place = "", ",", 0
    while place < len(words):
        option, is_joined, value = words[place].partition("=")
        if words[place] == "--":
            break  # the rest is passed to the commands
        if not option.startswith("-"):
            commands.append(words[place])
            place += 1
            continue
        is_short = not option.startswith("--") and len(option) > 1
        takes_value = option in _VALUED or (is_short and f"-{option[-1]}" in _VALUED)
        value = value if is_joined else next(iter(words[place + 1 :]), "")
        if option == "--names" or (is_short and option[-1] == "n"):
            names = value
        elif option == "--name-separator":
            separator = value or separator
        place += 2 if takes_value and not is_joined else 1
    given = names.split(separator) if names else []
    for index, command in enumerate(commands):
        name = given[index].strip() if index < len(given) else ""
        yield from _of_one_command(command.strip(), name, scripts)


def _of_one_command(command: str, name: str, scripts: Mapping[str, str]) -> Iterator[Part]:
    """Yield the commands behind one command of concurrently: `npm:dev:*` stands for every script that matches."""
    if short := _SHORT.fullmatch(command):
        run = _RUN.get(short[1], f"{short[1]} run")
        command = f"{run} {short[2]}{short[3]}"
    wildcard = _WILDCARD.fullmatch(command)
    if wildcard is None:
        yield Part(command, name)
        return
    omitted = _OMITTED.search(wildcard[2])
    pattern = wildcard[2][: omitted.start()] if omitted else wildcard[2]
    before, _, after = pattern.partition("*")
    for script in scripts:
        middle = script[len(before) : len(script) - len(after)]
        if not (script.startswith(before) and script.endswith(after) and middle):
            continue
        if not (omitted and middle in omitted[1].split("|")):
            yield Part(f"{wildcard[1]} {script}{wildcard[3]}", f"{name}{middle}")


def _of_run_all(
    words: list[str], scripts: Mapping[str, str], manager: str, *, is_parallel: bool
) -> Iterator[list[Part]]:
    """Yield the steps of npm-run-all; each step is a list of commands that run in parallel."""
    together: list[Part] = []
    place = 0
    while place < len(words) and words[place] != "--":
        word = words[place]
        place += 2 if word in _VALUED_OF_RUN_ALL else 1
        if word.startswith("-"):
            becomes = _parallel_by(word)
            if becomes is not None and becomes != is_parallel:
                if together:
                    yield together
                together, is_parallel = [], becomes
            continue
        found = [Part(f"{manager} run {each}") for each in _scripts_by(word, scripts)]
        if is_parallel:
            together += found
        else:
            yield from ([each] for each in found)
    if together:
        yield together


def _parallel_by(option: str) -> bool | None:
    """Return whether an option of npm-run-all switches to parallel; None when it does not affect the order."""
    if option == "--parallel" or (not option.startswith("--") and "p" in option):
        return True
    if option in ("--sequential", "--serial") or (not option.startswith("--") and "s" in option):
        return False
    return None


def _scripts_by(pattern: str, scripts: Mapping[str, str]) -> Iterator[str]:
    """Yield the scripts that match a pattern, with its arguments: `*` stops at a colon, `**` does not."""
    name, _, arguments = pattern.partition(" ")
    behind = f" {arguments}" if arguments else ""
    if "*" not in name:
        yield name + behind
        return
    wanted = name.replace("/", "\0").replace(":", "/")
    for script in scripts:
        parts, path = wanted.split("/"), script.replace(":", "/").split("/")
        is_same = len(parts) == len(path) or "**" in parts
        if is_same and _fits(path, parts):
            yield script + behind


def _fits(names: list[str], parts: list[str]) -> bool:
    if "**" in parts:
        place = parts.index("**")
        return len(names) > place and all(map(fnmatch.fnmatchcase, names[:place], parts[:place]))
    return all(map(fnmatch.fnmatchcase, names, parts))
