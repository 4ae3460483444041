"""Find the scripts of package.json that a command runs, and the workspace packages that it selects. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from devinit.toolchains.node.managers import MANAGERS

RUNNERS = frozenset({"turbo", "nx", "lerna", "wsrun"})
"""Programs that run a script in every package of a workspace."""
_COMMANDS = frozenset(
    {"exec", "dlx", "install", "i", "ci", "add", "x", "create", "init", "link", "up", "remove", "dedupe", "update"}
    | {"audit", "publish", "version", "config", "cache", "prune", "rebuild", "why", "pm", "set", "import", "node"}
)  # fmt: skip
"""Subcommands of package managers that run no script."""
_FOLDER = frozenset({"--prefix", "-C", "--cwd", "--dir"})
_SELECTING = frozenset(
    {"--filter", "-F", "--workspace", "--scope", "--projects", "-p", "--include", "--from", "--filter-prod"}
)
_EXCLUDING = frozenset({"--exclude", "--ignore"})
_VALUED = frozenset(
    {"--loglevel", "--reporter", "--workspace-concurrency", "--concurrency", "--script-shell", "--env-mode"}
    | {"--ui", "--cache-dir", "--output-logs", "--log-order", "-j", "--jobs", "--configuration", "-c"}
    | {"--runner", "--output-style", "--env-file", "--npm-client", "--elide-lines", "--globalConfig"}
)  # fmt: skip
"""Options whose value is the next word."""
_EVERYWHERE = frozenset(
    {"-r", "--recursive", "--workspaces", "-ws", "-A", "--all", "-W", "--worktree", "-R", "--since"}
)


class ScriptRun(Struct, frozen=True, kw_only=True):
    """The scripts that a command runs."""

    runner: str
    """Program that runs them: `pnpm`, `turbo`."""
    scripts: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    """Arguments that are added to the script."""
    folder: str = ""
    """Relative to the folder of the command; empty for that folder."""
    packages: tuple[str, ...] = ()
    """Selectors of workspace packages: `web`, `@acme/*`, `./apps/*`, `!docs`."""
    everywhere: bool = False
    """Whether they run in every package that `packages` does not exclude."""

    @property
    def is_here(self) -> bool:
        """Whether this is one script in the folder itself."""
        return len(self.scripts) == 1 and not self.packages and not self.everywhere


def script_run(program: list[str]) -> ScriptRun | None:
    """Return the scripts that a program and its arguments run; None when they run none."""
    name, words = (program[0], program[1:]) if program else ("", [])
    if name in MANAGERS:
        return _of_manager(name, words)
    if name in RUNNERS:
        return _of_runner(name, words)
    return None


class _Options(Struct):
    """The options of a command, as far as they have been read."""

    folder: str = ""
    packages: list[str] = []
    everywhere: bool = False
    targets: list[str] = []


def _of_manager(name: str, words: list[str]) -> ScriptRun | None:
    options = _Options()
    everywhere_by_name = False
    if name == "yarn" and words[:1] == ["workspaces"] and len(words) > 1:
        everywhere_by_name, words = True, words[2:] if words[1] in ("foreach", "run") else words[1:]
    elif name == "yarn" and words[:1] == ["workspace"]:
        options.packages += words[1:2]
        words = words[2:]
    left = _without_options(name, words, options)
    if left[:1] in (["run"], ["run-script"]):
        left = _without_options(name, left[1:], options)
    if not left or left[0].startswith("-") or left[0] in _COMMANDS or _is_file(left[0]):
        return None
    script, rest = left[0], left[1:]
    if name == "npm":
        # npm keeps every option before -- for itself.
        passed = rest.index("--") + 1 if "--" in rest else len(rest)
        _without_options(name, [word for word in rest[:passed] if word != "--"], options)
        rest = rest[passed:]
    return ScriptRun(
        runner=name,
        scripts=(script,),
        arguments=tuple(rest[1:] if rest[:1] == ["--"] else rest),
        folder=options.folder,
        packages=tuple(options.packages),
        everywhere=options.everywhere or everywhere_by_name,
    )


def _is_file(word: str) -> bool:
    """Return whether bun runs a file by this word: script names have no such ending."""
    return word.endswith((".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx"))


def _of_runner(name: str, words: list[str]) -> ScriptRun | None:
    options = _Options()
    if name == "nx":
        return _of_nx(words, options)
    left = [word for word in _separated(name, words, options) if word not in ("run", "watch")]
    arguments = words[words.index("--") + 1 :] if "--" in words else []
    if not left:
        return None
    return ScriptRun(
        runner=name,
        scripts=tuple(left),
        arguments=tuple(arguments),
        folder=options.folder,
        packages=tuple(options.packages),
        everywhere=not any(not each.startswith("!") for each in options.packages),
    )


def _of_nx(words: list[str], options: _Options) -> ScriptRun | None:
    """Parse `nx run-many -t dev`, `nx run web:dev` or `nx dev web`."""
    left = _separated("nx", words, options)
    if left[:1] == ["run-many"]:
        scripts = tuple(options.targets or left[1:])
        everywhere = not any(not each.startswith("!") for each in options.packages)
    elif left[:1] == ["run"] and len(left) > 1 and ":" in left[1]:
        package, _, target = left[1].partition(":")
        scripts, everywhere = (target.partition(":")[0],), False
        options.packages.append(package)
    elif left[:1] == ["run"] or left[2:] or not left[1:]:
        return None
    else:
        scripts, everywhere = (left[0],), False
        options.packages.append(left[1])
    if not scripts:
        return None
    return ScriptRun(runner="nx", scripts=scripts, packages=tuple(options.packages), everywhere=everywhere)


def _without_options(name: str, words: list[str], options: _Options) -> list[str]:
    """Read leading options into `options`; return the words from the first one that is no option."""
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "--":
        place += _option(name, words, place, options)
    return words[place:]


def _separated(name: str, words: list[str], options: _Options) -> list[str]:
    """Read all options before `--` into `options`; return the other words before it."""
    end = words.index("--") if "--" in words else len(words)
    left, place = [], 0
    while place < end:
        if words[place].startswith("-"):
            place += _option(name, words[:end], place, options)
        else:
            left.append(words[place])
            place += 1
    return left


def _option(name: str, words: list[str], place: int, options: _Options) -> int:
    """Read one option into `options`; return its number of words."""
    option, is_joined, value = words[place].partition("=")
    following = value if is_joined else next(iter(words[place + 1 :]), "")
    taken = 1 if is_joined else 2
    if option in ("-t", "--target", "--targets", "--script") and name == "nx":
        more = list(_values(words, place + 1)) if not is_joined else [value]
        options.targets += [each for text in more for each in text.split(",") if each]
        return 1 if is_joined else 1 + len(more)
    if option in _FOLDER and not (name == "npm" and option == "-w"):
        options.folder = following
        return taken
    if option == "-w":
        if name == "npm":
            options.packages.append(following)
            return taken
        return 1  # pnpm: the root of the workspace
    if option in _SELECTING and not (option == "-p" and name != "nx"):
        options.packages += [each.strip() for each in _listed(following) if each.strip()]
        return taken
    if option in _EXCLUDING:
        options.packages += [f"!{each.strip()}" for each in _listed(following) if each.strip()]
        return taken
    if option in _VALUED:
        return taken
    if option in _EVERYWHERE or (name == "yarn" and _is_short_for_all(option)):
        options.everywhere = True
    return 1


def _is_short_for_all(option: str) -> bool:
    """Return whether a word of short options, such as `-piA`, selects every package."""
    return not option.startswith("--") and any(letter in option for letter in "AWR")


def _values(words: list[str], place: int) -> Iterator[str]:
    for word in words[place:]:
        if word.startswith("-"):
            return
        yield word


def _listed(text: str) -> list[str]:
    """Split `a,b` and `{a,b}`; a folder `{./apps/*}` is one."""
    plain = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    return plain.split(",")
