"""The words of a compose command: its options that stand first, the command, and the rest. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

LONG = {
    "-f": "--file", "-p": "--project-name", "-c": "--context", "-H": "--host",
}  # fmt: skip
WITH_VALUES = frozenset({
    "--file", "--project-name", "--profile", "--project-directory", "--env-file", "--context", "--host",
    "--log-level", "--ansi", "--progress", "--parallel", "--tlscacert", "--tlscert", "--tlskey", "--workdir",
})  # fmt: skip
FOLDERS = ("--project-directory", "--workdir")
MAKING = frozenset({"up", "create", "run", "watch"})
"""Commands that make containers, and so publish ports."""
READING = frozenset({"build", "config", "convert"})
"""Commands that make none, and read the file as the others do."""


class Spoken(Struct, frozen=True):
    """One command line of compose."""

    options: tuple[tuple[str, str | None], ...]
    """Those in front of the command, by their long names."""
    command: str
    rest: tuple[str, ...]

    def values(self, *names: str) -> list[str]:
        """Return the values of an option, in their order."""
        return [value for name, value in self.options if name in names and value is not None]

    def without(self, *names: str) -> list[str]:
        """Return the words of all options but these."""
        return [
            word
            for name, value in self.options
            if name not in names
            for word in ((name,) if value is None else (name, value))
        ]


def spoken_in(words: Sequence[str]) -> Spoken:
    """Return what a command line says."""
    options: list[tuple[str, str | None]] = []
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        word, sign, value = words[at].partition("=")
        name = LONG.get(word, word)
        if sign and name in WITH_VALUES:
            options.append((name, value))
        elif name in WITH_VALUES and at + 1 < len(words):
            at += 1
            options.append((name, words[at]))
        elif word[:2] in LONG and not word.startswith("--") and len(word) > 2:  # noqa: PLR2004 - `-fFILE`
            options.append((LONG[word[:2]], words[at][2:]))
        else:
            options.append((words[at], None))
        at += 1
    rest = words[at + 1 :] if words[at : at + 1] == ["--"] else words[at:]
    return Spoken(tuple(options), rest[0] if rest else "", tuple(rest[1:]))


def profiles_of(spoken: Spoken, environ: Mapping[str, str]) -> frozenset[str]:
    """Return the profiles that a command line and its environment turn on."""
    stated = environ.get("COMPOSE_PROFILES", "").split(",")
    return frozenset(filter(None, (*spoken.values("--profile"), *map(str.strip, stated))))
