"""Where secrets stand in a text: URLs, connection strings, assignments, options, headers, SQL. Pure.

A pattern finds a name and its sign (`=`, `:`, a space behind an option); `names` decides whether it is the name of
a secret. Patterns take linear time on lines of any length: a name matches only from its first character on.
"""

from __future__ import annotations

import re

from devinit.masking import HIDDEN, SEPARATOR
from devinit.masking.names import SWITCHES, hides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLOUR = r"(?:\x1b\[[0-9;:]*m)*"
"""Loggers colour names and values."""

URL = re.compile(
    # user:password@; a port with a path behind it is no password. A password may hold an @ that should have been
    # escaped and, in what is no web address, a /. Messages spell the form out: user:password@host.
    r"(?P<before>(?:(?P<web>\b(?:https?|wss?)://)|(?<!http)(?<!https)(?<!ws)(?<!wss)://)[^\s:/@?#'\"<>]*:)"
    r"(?!\d{1,5}(?:[/?#]|$)|password@host)(?P<password>[^\s/?'\"<>]{1,2048}|(?(web)(?!)|[^\s'\"<>]{1,2048}))@"
)
TOKEN_URL = re.compile(r"(?P<before>\bhttps?://)(?P<user>[^\s:/@?#'\"<>]{16,})@")
"""A token in place of a user: `https://ghp_…@github.com`, a DSN of Sentry's."""
MYSQL_DSN = re.compile(
    r"(?<![\w.+%-])(?P<before>[\w.+%-]++:)(?:[^\s\"']{1,128}?@(?=(?:tcp6?|unix|cloudsql)?\()|[^\s\"'@/]{1,128}@(?=/\w))"
)
"""`user:password@tcp(127.0.0.1:3306)/shop`, as Go's driver reads it."""
SQL = re.compile(r"(?i)\b(?P<before>(?:password|(?<!\brevision )identified\s+by)\s+)'(?:[^']|'')+'")
"""Not alembic's "Can't locate revision identified by 'abc123'", which is the cause of a failed start."""

SIGN = re.compile(
    rf"(?<![\w.-])(?:"
    # name=value, "name" => "value", name%3Dvalue
    rf"(?P<assigned>[\w.-]++){COLOUR}\\*[\"'\]]{{0,2}}{COLOUR}[ ]?(?:=>|=(?!=)|%3[Dd]){COLOUR}[ ]?"
    # "name": "value"
    rf"|(?<=[\"'])(?P<quoted>[\w.-]++)\\*[\"']{COLOUR}\s?:{COLOUR}\s?(?=\\*[\"'])"
    # --name value; also in a list that was printed: '--name', 'value'
    r"|(?P<option>--?[A-Za-z][\w.-]*+)(?:[\"'],)?[ \t\x1f]+(?!-)"
    # Private-Token: value
    r"|(?P<header>(?:[A-Za-z]++-)++[\w]++|(?i:authorization|cookie)):[ ]+(?:(?i:bearer|basic|token|digest)[ ]+)?"
    r")"
)
VALUE = re.compile(
    r"(?P<quote>\\*[\"'])(?P<inside>(?:(?!(?P=quote))(?:\\.|[^\\\x1f]))*)(?P=quote)"
    r"|(?P<plain>(?:(?![\"'`](?:[\s,;:)\]}]|$))[^\s;&\x1b])+)"
)
PAIR = re.compile(r"[^;\"'\n\x1f]{1,512}(?=;[ ]?[A-Za-z][\w ]*=)")
"""A value of .NET's ends where the next pair begins, and may hold spaces: `Password=two words;Server=db`."""
REST = re.compile(r"[^;\"'\n\x1f]+")
"""The last value of such a string, behind a `;`."""
TO_THE_END = re.compile(r"[^\"'\n\x1f]+")
"""What ends with the line, the quotation or the word: cookies, what was cut."""
WORD = re.compile(rf"[^{SEPARATOR}]+")
"""A word of a command line whose words are known."""
CLOSING = ",.:)]}>`"
"""Characters that end a sentence or a list behind a value, and seldom a password."""
REFERENCE = re.compile(r"\$(?:\{\w+\}|[A-Z][A-Z0-9_]*)")
"""A variable in place of its value: `--password ${DB_PASSWORD}`."""
PROSE = frozenset(
    {
        *("a", "an", "and", "are", "as", "be", "by", "can", "cannot", "could", "expired", "for"),
        *("from", "has", "in", "invalid", "is", "it", "may", "missing", "must", "needs", "not", "of"),
        *("on", "option", "or", "required", "requires", "that", "the", "to", "was", "were", "will", "with"),
    }
)
"""Words that follow an option in a sentence: "--token is required"."""
PLAIN_COUNTS = frozenset({"pass", "passes"})
"""What test runners count: `pass=12 fail=0`."""

LONGEST_NAME = 200
"""In characters: what is longer is no name, and its words would take long to find."""

SHORT_OPTIONS = re.compile(
    r"(?<![\w.-])(?P<program>"
    r"(?:mysql|mariadb)(?:dump|admin|import|check|show|slap|pump|sh)?(?:-[a-z]++)*|mycli|7za?"
    r"|sshpass|mongo(?:sh|dump|restore|export|import|stat|top)?|rabbitmqadmin|cqlsh"
    r"|(?:redis|valkey|keydb)-cli|mosquitto_(?:pub|sub|rr)|sqlcmd|bcp|(?:un)?zip"
    r"|ldap(?:search|add|modify|delete|whoami|passwd)|curl|(?:docker|podman|nerdctl)(?=\s+login)|openssl"
    r")(?=[\s\"'])"
)
END_OF_COMMAND = re.compile(r"[;|\n]")
_ATTACHED = r"-p(?=\S)"
_EITHER = r"-p\s*(?=\S)"
OPTION_OF = {
    **dict.fromkeys(("mysql", "mariadb", "mycli", "7z"), _ATTACHED),
    **dict.fromkeys(("sshpass", "mongo", "rabbitmqadmin", "cqlsh"), _EITHER),
    **dict.fromkeys(("docker", "podman", "nerdctl"), _EITHER),
    **dict.fromkeys(("redis-cli", "valkey-cli", "keydb-cli"), r"-a\s+(?=\S)"),
    **dict.fromkeys(("mosquitto", "sqlcmd", "bcp", "zip", "unzip"), r"-P\s*(?=\S)"),
    "ldap": r"-w\s*(?=\S)",
    "curl": r"(?:-u\s*|--user[\s=]+|--proxy-user[\s=]+|-U\s*)[^\s:\"']*:(?=\S)",
    "openssl": r"-pass(?:in|out)?\s+pass:(?=\S)",
}
"""What precedes a password in the command line of a program, by the beginning of the program's name."""


def without_secrets(text: str) -> str:
    """Return a text without what can be recognised as a secret."""
    if "@" in text:
        text = URL.sub(rf"\g<before>{HIDDEN}@", text)
        text = TOKEN_URL.sub(rf"\g<before>{HIDDEN}@", text)
        text = MYSQL_DSN.sub(rf"\g<before>{HIDDEN}@", text)
    text = SQL.sub(rf"\g<before>'{HIDDEN}'", text)
    return hidden(text, [*named(text), *of_programs(text)])


def passwords_of_urls(text: str) -> Iterator[str]:
    """Yield the passwords of the URLs in a text, as they stand there."""
    return (found["password"] for found in URL.finditer(text))


def hidden(text: str, places: list[tuple[int, int]]) -> str:
    """Return a text in which some places, which may overlap, are unreadable."""
    parts, done = [], 0
    for start, end in sorted(places):
        if start >= done:
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
    name = next(filter(None, sign.group("assigned", "quoted", "option", "header")))
    if len(name) > LONGEST_NAME:
        return False
    if name.lower() == "pwd":
        # A folder in an environment, a password in a connection string.
        return not text.startswith(("/", "~"), sign.end())
    if sign["header"] and name.lower() in ("authorization", "cookie"):
        return True
    in_query = text[max(sign.start() - 1, 0) : sign.start()] in ("?", "&")
    return hides(name) or (in_query and name.lower() in ("key", "sig", "signature", "code"))


def value_after(sign: re.Match[str], text: str) -> tuple[int, int] | None:
    """Return the span of the value behind a name; None when there is no secret to hide."""
    start = sign.end()
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


def whole_value(sign: re.Match[str], text: str) -> re.Match[str] | None:
    """Return a value that may hold spaces, because something else marks its end; None for any other value."""
    start, end = sign.span()
    before = text[start - 1 : start]
    if SEPARATOR in sign[0] or (SEPARATOR in text and sign[0].startswith("-") and before in ("", SEPARATOR)):
        return WORD.match(text, end)
    if (sign["header"] or "").lower() == "cookie":
        return TO_THE_END.match(text, end)
    if not sign["assigned"]:
        return None
    return REST.match(text, end) if before == ";" else PAIR.match(text, end)


def is_worth_hiding(sign: re.Match[str], value: str) -> bool:
    """Whether a value can be a secret: no switch, no variable, no word of a sentence."""
    if value.lower() in SWITCHES or REFERENCE.fullmatch(value):
        return False
    if sign["option"] and value.lower() in PROSE:
        return False
    return not (value.isdigit() and sign["assigned"] in PLAIN_COUNTS)


def of_programs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where passwords stand behind the short options of programs that have one for them."""
    programs = list(SHORT_OPTIONS.finditer(text))
    ends = [*(each.start() for each in programs), len(text)][1:]
    for program, end in zip(programs, ends, strict=True):
        name = program["program"]
        before = next(option for beginning, option in OPTION_OF.items() if name.startswith(beginning))
        command = END_OF_COMMAND.split(text[program.end() : end], maxsplit=1)[0]
        for option in re.finditer(rf"(?<![^\s\"']){before}", command):
            if found := password_at(text, program.end() + option.end()):
                yield found
            if name == "sshpass":
                break  # what follows is the command of another program


def password_at(text: str, start: int) -> tuple[int, int] | None:
    """Return the span of the password that begins at `start`; None for a variable in its place."""
    found = VALUE.match(text, start)
    if found is None or REFERENCE.fullmatch(found[0]):
        return None
    if SEPARATOR in text and (word := WORD.match(text, start)) and SEPARATOR in text[:start]:
        return word.span()
    return found.span("inside") if found["quote"] else found.span()
