"""Parse the command line of compose: the options before the command, the command, and its arguments. Pure."""

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
"""Commands that create containers, and so publish ports."""
READING = frozenset({"build", "config", "convert"})
"""Commands that create no containers, but read the file in the same way."""


class Spoken(Struct, frozen=True):
    """One parsed command line of compose."""

    options: tuple[tuple[str, str | None], ...]
    """Options before the command, with their long names and values."""
    command: str
    rest: tuple[str, ...]

    def values(self, *names: str) -> list[str]:
        """Return the values of all options with these names, in their order."""
        return [value for name, value in self.options if name in names and value is not None]

    def without(self, *names: str) -> list[str]:
        """Return the words of all options except these."""
        return [
            word
            for name, value in self.options
            if name not in names
            for word in ((name,) if value is None else (name, value))
        ]


def spoken_in(words: Sequence[str]) -> Spoken:
    """Parse a command line."""
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
    """Return the profiles that a command line and its environment enable."""
    stated = environ.get("COMPOSE_PROFILES", "").split(",")
    return frozenset(filter(None, (*spoken.values("--profile"), *map(str.strip, stated))))
