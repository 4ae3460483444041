"""Where secrets stand in a text: URLs, connection strings, assignments, options, headers, SQL. Pure.

A pattern finds a name and its sign (`=`, `:`, a space behind an option); `names` decides whether it is the name of
a secret. Patterns take linear time on lines of any length: a name matches only from its first character on.
"""

from __future__ import annotations

import re

from devinit.masking.hints import HIDDEN, SEPARATOR
from devinit.masking.names import IN_QUERIES, SWITCHES, hides, words_of
from devinit.masking.pairs import paired
from devinit.masking.programs import of_programs
from devinit.masking.tokens import of_tokens
from devinit.masking.values import (
    CLOSING,
    LOOSE,
    PAIR,
    PLAIN_WORDS,
    PROSE,
    REFERENCE,
    REST,
    TO_THE_END,
    VALUE,
    WORD,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLOUR = r"(?:\x1b\[[0-9;:]*+m){0,8}+"
"""Loggers colour names and values.

A line may hold thousands of these in a row, each of which holds what could be a name (`31m`). So a run is
possessive, as several may follow each other, and bounded: style, foreground, background, each set and reset.
"""

URL = re.compile(
    # user:password@; a port with a path behind it is no password. A password may hold an @ that should have been
    # escaped and, in what is no web address, a /. Messages spell the form out: user:password@host.
    r"(?P<before>(?:(?P<web>\b(?:https?|wss?)://)|(?<!http)(?<!https)(?<!ws)(?<!wss)://)[^\s:/@?#'\"<>]*:)"
    r"(?!\d{1,5}(?:[?#]|$|/(?(web)|(?![^\s/?#@'\"<>]*@[\w.-]+(?::\d+)?/)))|password@host)(?P<password>[^\s/?'\"<>]{1,2048}|(?(web)(?!)|[^\s'\"<>]{1,2048}))@"
)
TOKEN_URL = re.compile(r"(?P<before>\bhttps?://)(?P<user>[^\s:/@?#'\"<>]{16,})@")
"""A token in place of a user: `https://ghp_…@github.com`, a DSN of Sentry's."""
MYSQL_DSN = re.compile(
    r"(?<![\w.+%-])(?P<before>[\w.+%-]++:)(?:[^\s\"']{1,128}?@(?=(?:tcp6?|unix|cloudsql)?\()|[^\s\"'@/]{1,128}@(?=/\w))"
)
"""`user:password@tcp(127.0.0.1:3306)/shop`, as Go's driver reads it."""
SQL = re.compile(
    r"(?i)\b(?P<before>"
    r"(?:(?P<word>password)"
    r"|(?<!\brevision )identified\s+(?:by|(?:with|via)\s+[\w'\"`]+\s+(?:by|as|using))(?:\s+password)?)\s+"
    r"|password\s+for\s+[^\s=]{1,200}\s*=\s*(?:(?:old_)?password\s*\(\s*)?"
    r"|(?-i:(?:OLD_)?PASSWORD)\(\s*)"
    r"(?:(?P<single>[EN]?')(?:[^'\\]|''|\\.)+'"
    r"|(?(word)(?!)|(?P<double>\")[^\"]+\")"
    r"|(?P<dollar>\$\w{0,64}\$).{1,512}?(?P=dollar))"
)
"""PostgreSQL, MySQL, MariaDB, SQL Server.

Not alembic's "Can't locate revision identified by 'abc123'", which is the cause of a failed start.
"""

TAGS = r"(?:(?:!(?:<[^>\s]{1,200}+>|[\w!:./-]{0,200}+)|&[\w-]{1,200}+)[ ]){0,3}+"
"""What stands before a value in YAML: `!!binary`, `!secret`, `&anchor`."""
PREFIX = r"(?:[bBuU](?=\\*[\"']))?"
"""Of a quoted value in Python."""
SIGN = re.compile(
    rf"(?<![\w.-])(?:"
    # name=value, "name" => "value", name%3Dvalue, name := value
    rf"(?P<assigned>[\w.-]++){COLOUR}\\*[\"'\]]{{0,2}}{COLOUR}[ ]?(?:=>|:?=(?!=)|%3[Dd]){COLOUR}[ ]?"
    rf"(?:(?i:bearer|basic)[ ]+(?=\S))?{PREFIX}"
    # "name": "value"
    rf"|(?<=[\"'])(?P<quoted>[\w.-]++)\\*[\"']{COLOUR}\s?:{COLOUR}\s?{COLOUR}{TAGS}{PREFIX}(?=\\*[\"'])"
    # --name value; also in a list that was printed: '--name', 'value'
    r"|(?P<option>--?[A-Za-z][\w.-]*+)(?:[\"'],)?[ \t\x1f]+(?!-)"
    # Private-Token: value
    r"|(?P<header>(?:[A-Za-z]++-)++[\w]++|(?i:authorization|cookie)):[ ]*"
    r"(?:(?i:bearer|basic|token)[ ]+)?"
    # name: 'value', and name: value, as objects, YAML and Go's maps are printed
    rf"|(?P<key>[\w-]++){COLOUR}[ ]?:(?!:){COLOUR}[ ]?{COLOUR}{TAGS}{PREFIX}"
    r")"
)
PLAIN_COUNTS = frozenset({"pass", "passes"})
"""What test runners count: `pass=12 fail=0`."""

HEADERS = ("private-token", "job-token", "deploy-token")
"""Headers with a secret, which need no space behind the colon: `curl -H 'Private-Token:…'`."""
COOKIE = re.compile(r"[\w.-]{1,100}=")

QUOTES = ("'", '"', "\\'", '\\"', "\\\\")
PARAMETERS = re.compile(r"(?i:digest|oauth|hmac|signature|aws4-hmac-sha256|sharedkey)\b")
"""Schemes of authorization that are followed by several parameters."""
LONGEST_STRUCT = 400
"""Characters before a name in which a structure begins."""
LONGEST_NAME = 200
"""In characters: what is longer is no name, and its words would take long to find."""


def without_secrets(text: str) -> str:
    """Return a text without what can be recognised as a secret."""
    if "@" in text:
        text = URL.sub(rf"\g<before>{HIDDEN}@", text)
        text = TOKEN_URL.sub(rf"\g<before>{HIDDEN}@", text)
        text = MYSQL_DSN.sub(rf"\g<before>{HIDDEN}@", text)
    lower = text.lower().replace(SEPARATOR, " ")
    if "password" in lower or "identified" in lower:
        text = SQL.sub(without_password, text)
    return hidden(
        text, [*named(text), *paired(text, lower), *of_programs(text, lower), *of_tokens(text, lower)]
    )


def without_password(found: re.Match[str]) -> str:
    """Return a clause of SQL with its password hidden, in the quotes in which it stood."""
    opening = found["single"] or found["double"] or found["dollar"]
    return f"{found['before']}{opening}{HIDDEN}{opening.lstrip('eEnN')}"


def passwords_of_urls(text: str) -> Iterator[str]:
    """Yield the passwords of the URLs in a text, as they stand there."""
    return (found["password"] for found in URL.finditer(text))


def hidden(text: str, places: list[tuple[int, int]]) -> str:
    """Return a text in which some places, which may overlap or touch, are unreadable."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(places):
        if start > done or not parts:
            parts += [text[done:start], HIDDEN]
        done = max(done, end)
    return "".join([*parts, text[done:]])


def named(text: str) -> Iterator[tuple[int, int]]:
    """Yield where values stand that have the name of a secret."""
    position = 0
    while sign := SIGN.search(text, position):
        position = sign.end()
        if not is_secret(sign, text):
            continue
        found = value_after(sign, text)
        if found is not None:
            yield found
            position = max(position, found[1])


def is_secret(sign: re.Match[str], text: str) -> bool:
    """Whether what follows is a secret by its name, or by the place of the name."""
    name = next(filter(None, sign.group("assigned", "quoted", "option", "header", "key")))
    if len(name) > LONGEST_NAME:
        return False
    if name.lower() == "pwd":
        # A folder in an environment, a password in a connection string.
        return not text.startswith(("/", "~"), sign.end())
    if sign["header"]:
        # `image: auth-token:v2` is no header, nor is a user in a URL.
        is_one = sign[0].endswith(" ") or (
            (
                name.lower().startswith("x-")
                or name.lower().endswith("authorization")
                or name.lower() in HEADERS
                or (name.lower() in ("cookie", "set-cookie") and COOKIE.match(text, sign.end()))
            )
            and not text.endswith("/", 0, sign.start())
        )
        return bool(is_one) and (hides(name) or name.lower() in ("authorization", "cookie"))
    return (
        hides(name)
        or (is_in_query(sign, text) and is_secret_in_query(name))
        or (name.startswith("-") and words_of(name) == ["BEARER"])
    )


def is_in_query(sign: re.Match[str], text: str) -> bool:
    """Whether a name is that of a parameter of a URL."""
    return text.endswith(("?", "&", "&amp;"), 0, sign.start())


def is_secret_in_query(name: str) -> bool:
    """Whether a parameter of a URL is a secret: `X-Amz-Signature`; `code` only alone, not `country_code`."""
    words = words_of(name)
    return bool(words) and (words[-1] in IN_QUERIES or words in (["AUTH"], ["KEY"], ["CODE"]))


def value_after(sign: re.Match[str], text: str) -> tuple[int, int] | None:
    """Return the span of the value behind a name; None when there is no secret to hide."""
    start = sign.end()
    if sign["header"] and text.startswith(HIDDEN, start):
        return None
    # Behind a tag of YAML every value is one.
    is_bare = sign["key"] and "!" not in sign[0] and not text.startswith(QUOTES, start)
    if is_bare or (sign["key"] and is_of_prose(sign, text)):
        return loose_value(sign, text)
    if whole := whole_value(sign, text):
        return whole.span()
    if (found := VALUE.match(text, start)) is None:
        return None
    if found["quote"]:
        return found.span("inside") if is_worth_hiding(sign, found["inside"]) else None
    if text.startswith(("'", '"'), start) and (rest := TO_THE_END.match(text, start + 1)):
        return rest.span()  # a quote that is never closed: the text was cut
    value = found["plain"].partition(SEPARATOR)[0]
    kept = value if REFERENCE.fullmatch(value) else value.rstrip(CLOSING) or value
    return (start, start + len(kept)) if is_worth_hiding(sign, kept) else None


def is_of_prose(sign: re.Match[str], text: str) -> bool:
    """Whether a parser means its own tokens: "Unexpected token: '}'"."""
    return text.endswith("nexpected ", 0, sign.start())


def loose_value(sign: re.Match[str], text: str) -> tuple[int, int] | None:
    """Return the span of a bare value behind a colon that looks made up: it ends its line, or a pair follows.

    `password: string` and `token: is required` are words, `src/token:12` is a place in a file.
    """
    if is_of_prose(sign, text) or sign["key"].lower() in PLAIN_COUNTS:
        return None
    if not sign[0].endswith((" ", "m")) and not is_in_struct(sign, text):
        return None
    found = LOOSE.match(text, sign.end())
    if found is None or REFERENCE.fullmatch(found["value"]):
        return None
    return found.span("value")


def is_in_struct(sign: re.Match[str], text: str) -> bool:
    """Whether Go has printed a structure or a map: `{User:ada Password:…}`, `map[user:ada password:…]`."""
    begun = max(sign.start() - LONGEST_STRUCT, 0)
    is_named = text[sign.start() - 1 : sign.start()] in ("[", "{", " ")
    return is_named and (
        text.rfind("{", begun, sign.start()) >= 0 or text.rfind("map[", begun, sign.start()) >= 0
    )


def whole_value(sign: re.Match[str], text: str) -> re.Match[str] | None:
    """Return a value that may hold spaces, because something else marks its end; None for any other value."""
    start, end = sign.span()
    before = text[start - 1 : start]
    if SEPARATOR in sign[0] or (SEPARATOR in text and sign[0].startswith("-") and before in ("", SEPARATOR)):
        return WORD.match(text, end)
    header = (sign["header"] or "").lower()
    if header == "cookie":
        return TO_THE_END.match(text, end)
    if header.endswith("authorization") and PARAMETERS.match(text, end):
        quote = before if before in ("'", '"') else ""
        return re.compile(rf"[^{quote}\n\x1f]+").match(text, end)
    if not sign["assigned"] or is_in_query(sign, text):
        return None
    return REST.match(text, end) if before == ";" else PAIR.match(text, end)


def is_worth_hiding(sign: re.Match[str], value: str) -> bool:
    """Whether a value can be a secret: no switch, no variable, no word of a sentence."""
    if value.lower() in SWITCHES or REFERENCE.fullmatch(value):
        return False
    if sign["key"] and value.lower() in PLAIN_WORDS:
        return False
    if sign["option"] and value.lower() in PROSE:
        return False
    return not (value.isdigit() and sign["assigned"] in PLAIN_COUNTS)
