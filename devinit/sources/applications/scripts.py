"""Find the program that a script of package.json runs, without the wrappers before it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from devinit.sources.commands.left_out import harm
from devinit.sources.packages import SEVERAL
from devinit.toolchains.node.managers import MANAGERS

LONGEST_SCRIPT = 2_000
_MOST_STEPS = 20
"""Limit of nested wrappers and scripts."""
_JOINTS = re.compile(r"&&|\|\||;")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,80})=(.*)", re.DOTALL)
_ELSEWHERE = frozenset(
    {"--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "-w", "--workspace", "--workspaces", "-r"}
)
"""Options that make a package manager work in another folder."""
_RUNS_A_PROGRAM = frozenset({"exec", "dlx", "x"})
_TAKES_A_VALUE = frozenset({"-e", "-f", "--file", "-c", "-v", "-p", "--env-file", "--exec"})
_WRAPPERS = frozenset(
    {
        "npx",
        "bunx",
        "pnpx",
        "cross-env",
        "cross-env-shell",
        "env",
        "dotenv",
        "dotenvx",
        "env-cmd",
        "exec",
        "time",
    }
)
_RUNNING_WRAPPERS = frozenset({"doppler", "infisical", "op", "dotenvx", "varlock"})
"""Wrappers that are called as `doppler run -- …`."""


_WORDS = re.compile(r"[\w:.@/-]+")
_CHANGES_CHECKOUT = re.compile(r"(?<![\w./-])git[ \t]{1,10}(?:pull|stash|reset|checkout)\b")
"""Matches changes to the checkout, which no automatic start may make."""


class Run(Struct, frozen=True):
    """The program that a script runs in the end."""

    words: tuple[str, ...] = ()
    """Program without its folder, and its arguments; empty when unclear."""
    env: dict[str, str] = {}
    """Variables that the script sets for it."""
    takes_flags: bool = True
    """Whether flags after the script reach the program."""
    inner: str = ""
    """The script that it only wraps, and that can run in its place; "" without one."""


def run_of(name: str, scripts: Mapping[str, object]) -> Run:
    """Return the program that a script runs, directly or through other scripts."""
    text = scripts.get(name)
    return _run(text, scripts, {}, [name]) if isinstance(text, str) and len(text) <= LONGEST_SCRIPT else Run()


def harm_in(name: str, scripts: Mapping[str, object]) -> str:
    """Return the harm that a script, or one that it runs, does beside starting a program; "" without harm."""
    texts = {each: text for each, text in scripts.items() if isinstance(text, str)}
    reached: dict[str, str] = {}
    waiting = [name]
    while waiting:
        word = waiting.pop()
        for each in (f"pre{word}", word, f"post{word}"):
            if each in texts and each not in reached:
                reached[each] = texts[each]
                # A name too many is better than one too few; `npm:css` means `css` to concurrently.
                waiting += [found.removeprefix("npm:") for found in _WORDS.findall(texts[each])]
    for each, text in reached.items():
        reason = "it changes the checkout" if _CHANGES_CHECKOUT.search(text) else harm(text)
        if reason:
            return f"{reason} (`{each}` in package.json)"
    return ""


def starts_several(text: str) -> bool:
    """Return whether a script starts several programs."""
    return SEVERAL.search(text) is not None


def _run(text: str, scripts: Mapping[str, object], env: dict[str, str], way: list[str]) -> Run:
    if starts_several(text):
        return Run()
    *before, last = _JOINTS.split(text)
    if any(part.split()[:1] == ["cd"] for part in before):
        return Run()
    try:
        words = shlex.split(last)
    except ValueError:
        return Run()
    found = _looked_through(words, scripts, env, way, takes_flags="|" not in last)
    return replace(found, inner="") if before or found.env else found


def _looked_through(
    words: list[str], scripts: Mapping[str, object], env: dict[str, str], way: list[str], *, takes_flags: bool
) -> Run:
    env = dict(env)
    for _ in range(_MOST_STEPS):
        if not words:
            return Run()
        program, rest = words[0].rpartition("/")[2], words[1:]
        if found := _ASSIGNMENT.fullmatch(words[0]):
            env[found[1]] = found[2]
            words = rest
        elif program in _RUNNING_WRAPPERS and "--" in rest:
            words = rest[rest.index("--") + 1 :]
        elif program in _WRAPPERS:
            words = _without_options(rest)
        elif program == "run-script-os" and (inner := _of_this_system(way[-1], scripts)):
            return _of_a_manager("yarn", [inner], scripts, env, way, takes_flags=takes_flags)
        elif program in MANAGERS:
            return _of_a_manager(program, rest, scripts, env, way, takes_flags=takes_flags)
        elif program == "nodemon" and _value_of(rest, ("--exec", "-x")):
            inner = _value_of(rest, ("--exec", "-x"))
            # nodemon's own arguments come first: it would take flags after the script.
            return Run(("nodemon", *inner.split()), env, takes_flags=False)
        else:
            return Run((program, *rest), env, takes_flags)
    return Run()


def _of_this_system(name: str, scripts: Mapping[str, object]) -> str:
    """Return the script that run-script-os chooses for a name; "" without one."""
    names = (f"{name}:{system}" for system in ("linux", "darwin:linux", "nix", "default"))
    return next((each for each in names if isinstance(scripts.get(each), str)), "")


def _of_a_manager(
    manager: str,
    rest: list[str],
    scripts: Mapping[str, object],
    env: dict[str, str],
    way: list[str],
    *,
    takes_flags: bool,
) -> Run:
    """Return the run of a package manager: a script of the same package, a program, or (bun) a file."""
    if _ELSEWHERE.intersection(rest):
        return Run()
    words = _without_options(rest)
    if words[:1] and words[0] in ("run", "run-script"):
        words = _without_options(words[1:])
    elif words[:1] and words[0] in _RUNS_A_PROGRAM:
        return _looked_through(_without_options(words[1:]), scripts, env, way, takes_flags=takes_flags)
    if not words:
        return Run()
    inner = scripts.get(words[0])
    if not isinstance(inner, str):
        if manager == "bun" and ("." in words[0] or "/" in words[0]):
            return Run(("bun", *words), env, takes_flags)
        return (
            Run() if manager == "npm" else _looked_through(words, scripts, env, way, takes_flags=takes_flags)
        )
    if words[0] in way or len(inner) > LONGEST_SCRIPT or len(way) >= _MOST_STEPS:
        return Run()
    behind = " ".join(map(shlex.quote, (word for word in words[1:] if word != "--")))
    # npm keeps flags for itself unless they follow `--`.
    passes = takes_flags and (manager != "npm" or "--" in words[1:])
    found = _run(f"{inner} {behind}", scripts, env, [*way, words[0]])
    stands_for = found.inner or words[0] if len(words) == 1 and found.env == env else ""
    return Run(found.words, found.env, found.takes_flags and passes, stands_for)


def _without_options(words: list[str]) -> list[str]:
    """Return the words after the options of a wrapper."""
    left = list(words)
    while left and left[0].startswith("-"):
        option = left.pop(0)
        if option == "--":
            break
        if option in _TAKES_A_VALUE and left:
            left.pop(0)
    return left


def _value_of(words: list[str], options: tuple[str, ...]) -> str:
    """Return the value of an option; "" when it is missing."""
    return next((value for word, value in pairwise([*words, ""]) if word in options), "")


def option(words: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Return the value of an option in one of its forms: `--port 1`, `--port=1`, `-p1`; "" without one."""
    for word, value in pairwise((*words, "")):
        if word in names:
            return value
        for name in names:
            if word.startswith(f"{name}="):
                return word.removeprefix(f"{name}=")
            if not name.startswith("--") and word.startswith(name) and word[len(name) :].isdecimal():
                return word[len(name) :]
    return ""
