"""Masking of the secrets of one project, whose values devinit knows, anywhere in a text. Pure.

`devinit.masking` recognises secrets by their context (the password of a URL, the value of a variable with a
telling name); this module adds the values themselves. The log files keep what services wrote, and `devinit env`
prints the values, because that is its purpose.
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum
from itertools import islice

from devinit.logs.lines import LONGEST_LINE, Line
from devinit.masking import HIDDEN, PLACES, hides, masked, masked_value
from devinit.masking.names import SWITCHES
from devinit.masking.patterns import passwords_of_urls
from devinit.masking.tokens import KEY_BEGINS, KEY_ENDS, KEY_MARK, is_line_of_key, rest_of_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 6
"""A shorter secret is hidden only where the context shows that it is one: it may be part of any word."""
NO_SECRETS = frozenset({"password", "postgres", "secret", "changeme", "default", "development"})
"""Passwords that are common words in logs; they are hidden in the same way as the shorter ones."""

UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
"""What stands for itself in URLs, JSON and strings."""
LONGEST_KEY = 200
"""The most lines of a private key: an RSA key with 16,384 bits has 195."""
MOST_OTHERS = 3
"""Lines within a private key that do not belong to it: its header, and output of other threads."""


class Mask:
    """A function that hides the secrets of some environments in a text."""

    def __init__(self, *environments: Mapping[str, str]) -> None:
        secrets = {secret for each in environments for secret in secrets_of(each)}
        # The role of a database often has the name of the project, and so does its password: that word is no
        # secret anywhere else.
        words = {word for each in environments for word in words_of(each)}
        everywhere = {text for text in secrets - words - NO_SECRETS if len(text) >= SHORTEST}
        # The longest first, because one may be part of another.
        spellings = {each for secret in everywhere for each in spellings_of(secret)}
        self._everywhere = sorted(spellings, key=len, reverse=True)
        self._named = named_secret(secrets - everywhere)

    def __call__(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in self._everywhere:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        if self._named is not None and "assw" in text.lower():
            text = self._named.sub(rf"\1{HIDDEN}", text)
        text = masked(text)
        return self._decoded(text) if "\\" in text and text.lstrip().startswith("{") else text

    def in_data(self, value: object, key: str = "") -> object:
        """Return a copy of what is to be printed as JSON without the secrets; places of files stay as they are."""
        match value:
            case str():
                return value if key in PLACES else self(value)
            case dict():
                return {name: self.in_data(each, name) for name, each in value.items()}
            case list() | tuple():
                return [self.in_data(each, key) for each in value]
        return value

    def _decoded(self, text: str) -> str:
        """Return a line of JSON without the secrets that appear once its strings are decoded."""
        import msgspec  # few lines are JSON with escapes

        try:
            value = msgspec.json.decode(text)
            hidden = self._in_value(value, "")
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return text
        return text if hidden == value else msgspec.json.encode(hidden).decode()

    def _in_value(self, value: object, name: str) -> object:
        match value:
            case dict():
                return {key: self._in_value(each, key) for key, each in value.items()}
            case list():
                return [self._in_value(each, name) for each in value]
            case str() if len(value) < LONGEST_LINE:
                # Without the name of the value, a pattern takes a password for a word.
                return HIDDEN if masked_value(name, value) == HIDDEN else self(value)
        return value


class After(Enum):
    """The part of a private key in the preceding lines."""

    NOTHING = 0
    A_LINE = 1
    """A whole line of a key: the last line may follow."""
    ITS_BEGINNING = 2
    """The first line of a key, but not yet its last one."""


class KeyLines:
    """A filter for the lines of private keys that only their position distinguishes from words.

    The last line of a key can have any length. Call it with the lines of services in their order.
    """

    def __init__(self) -> None:
        self._after: dict[str, After] = {}
        self._others: dict[str, int] = {}
        """How many lines in a row have not looked like part of a key since its beginning."""

    def __call__(self, service: str, text: str) -> str:
        """Return the next line of a service, masked if it belongs to a key."""
        after = self._after.get(service, After.NOTHING)
        if KEY_MARK in text:
            begins = KEY_BEGINS in text and KEY_ENDS not in text
            self._after[service] = After.ITS_BEGINNING if begins else After.NOTHING
            self._others[service] = 0
            return text
        if after is After.NOTHING:
            if is_line_of_key(text):
                self._after[service] = After.A_LINE
            return text
        place = rest_of_key(text, is_certain=after is After.ITS_BEGINNING)
        if after is After.A_LINE and not is_line_of_key(text):
            self._after[service] = After.NOTHING
        if place is None:
            self._others[service] = others = self._others.get(service, 0) + 1
            if others > MOST_OTHERS:
                self._after[service] = After.NOTHING
            return text
        self._others[service] = 0
        return hidden_at(text, place)

    def unfinished(self, service: str, text: str) -> str:
        """Return the current state of an unfinished line, which is judged again when it is complete."""
        after, others = self._after.copy(), self._others.copy()
        try:
            return self(service, text)
        finally:
            self._after, self._others = after, others


def hidden_at(text: str, place: tuple[int, int]) -> str:
    """Return a text in which the part at a position is hidden."""
    return f"{text[: place[0]]}{HIDDEN}{text[place[1] :]}"


def without_keys_backwards(lines: Iterable[Line], keys: KeyLines, service: str) -> Iterator[Line]:
    """Yield lines from the last one to the first as `KeyLines` would show them; it then knows their end.

    A line is judged by the lines before it, which are read ahead: only a few, if there is no key.
    """
    source, ahead = iter(lines), deque[Line]()
    for text in _before(ahead, source):
        keys(service, text)
    while ahead or (ahead := deque(islice(source, 1))):
        line = ahead.popleft()
        place = rest_of_key(line.text, is_certain=True)
        if place is not None and is_line_of_key(line.text):
            # Hidden regardless of its context: judging thousands of such lines by those before them would be slow.
            line = Line(hidden_at(line.text, place), line.time, line.run)
        elif place is not None:
            above = KeyLines()
            for text in _before(ahead, source):
                above(service, text)
            line = Line(above(service, line.text), line.time, line.run)
        yield line


def _before(ahead: deque[Line], source: Iterator[Line]) -> list[str]:
    """Return the lines before a line that decide about it, in their order; read those that are not `ahead`."""
    found: list[str] = []
    others = 0
    while len(found) < LONGEST_KEY and others <= MOST_OTHERS:
        if len(found) == len(ahead) and (line := next(source, None)) is not None:
            ahead.append(line)
        if len(found) == len(ahead):
            break
        text = ahead[len(found)].text
        found.append(text)
        if KEY_MARK in text:
            break
        others = 0 if is_line_of_key(text) else others + 1
    return found[::-1]


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the passwords in URLs of an environment, and the values of variables with names of secrets."""
    for name, value in environment.items():
        if value.lower() not in SWITCHES and hides(name):
            # The lines of a multi-line key are printed separately.
            yield from filter(None, value.splitlines())
        if "@" in value and "://" in value:
            yield from passwords_in(value)


def spellings_of(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as a URL, JSON and a string of a program have it where that differs."""
    yield secret
    if not UNRESERVED.fullmatch(secret):
        from urllib.parse import quote  # few secrets need it

        yield quote(secret, safe="")
        escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
        yield escaped
        yield escaped.replace("/", "\\/")  # as PHP writes JSON


def words_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of variables whose names are not those of secrets."""
    return (value for name, value in environment.items() if not hides(name))


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords of the URLs in a text, both as written and decoded."""
    for found in passwords_of_urls(text):
        yield found
        if "%" in found:
            from urllib.parse import unquote  # few passwords need it

            yield unquote(found)


def named_secret(values: set[str]) -> re.Pattern[str] | None:
    """Return a pattern for short secrets that follow the word password: `password=shop`, `"password": "shop"`."""
    if not values:
        return None
    alternatives = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(rf"(?i)(passw(?:or)?d['\"]?\s*[=:]\s*['\"]?)(?:{alternatives})(?![\w-])")
