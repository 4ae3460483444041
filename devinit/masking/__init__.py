"""Secrets made unreadable in everything that is shown: `postgresql://shop:***@127.0.0.1`. Pure.

Everything that prints uses `masked`: the command line, JSON included, the dashboard, the supervisor's notes and
reasons. There is one list of names, in `names`. A value that is compared, sent back as proof or given to a program
is never masked, only its display. `devinit env` and `devinit run` give the values themselves: that is their
purpose.

    masked("mysql -uroot -phunter2")               # → "mysql -uroot -p***"
    masked_words(["vite", "--token", "abc"])       # → ["vite", "--token", "***"]
    masked_value("RAILS_MASTER_KEY", "0123")       # → "***"
    masked_data({"command": ["redis-cli", "-a", "pw"], …})     # a copy, for JSON

Most texts hold no secret. They pass without the module of patterns, which takes 5 ms to load.
"""

from __future__ import annotations

from devinit.masking.names import SWITCHES, hides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "HIDDEN",
    "hides",
    "masked",
    "masked_data",
    "masked_line",
    "masked_value",
    "masked_words",
    "may_hold_secrets",
]

HIDDEN = "***"
HINTS = (
    *(
        "pass",
        "pw",
        "secret",
        "token",
        "key",
        "cred",
        "dsn",
        "auth",
        "cookie",
        "salt",
        "pepper",
        "jwt",
    ),
    *("bearer", "mnemonic", "pat", "sk", "pswd", "sig=", "signature=", "code="),
)
"""One of these is in every name of a secret, with what follows where it would be in many words."""
SIGNS = ("=", "--", " -", '":', "':", "%3d")
"""One of these stands between a name and its value, or before an option."""
PHRASES = (
    *("password ", "requirepass ", "masterauth ", "cli auth ", "authtoken ", "change_password "),
    *("config set ", "configure set ", "setx ", "setenv ", "env ", "</", "value"),
    *("bearer ", "private key", "sk-", "sk_", "pat-", "pat_"),
)
"""What precedes a secret in SQL, settings, commands and XML, and how tokens begin that have a hint in them."""
TOKENS = ("eyj", "aiza", "ya29.", "sg.", "hvs.", "xox", "pypi-")
"""How other tokens begin."""
TOKENS_WITH_UNDERSCORE = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "hf_", "rk_live_", "rk_test_", "whsec_", "dop_", "shp"),
)
TOKEN_PLACES = ("hooks", "/bot")
"""What stands in a URL before a token."""
COMMANDS = ("identified", " login ", "add_user")
"""What precedes a secret in SQL and commands without a hint."""
NOT_IN_KEYS = (" ", ".", '"')
LINE_OF_KEY = 64
"""Characters of a line of a private key, at least."""
LONGEST_WORD = 240
"""Characters before a colon in which a name is looked for, with what colours it."""
PROGRAMS = (
    *(
        "mysql",
        "mariadb",
        "mycli",
        "redis-",
        "valkey-",
        "keydb-",
        "mongo",
        "curl",
        "mosquitto",
        "docker",
    ),
    *(
        "podman",
        "sqlcmd",
        "bcp",
        "ldap",
        "zip",
        "7z",
        "rabbitmq",
        "http -",
        "https -",
        "az login",
        "smbclient",
        "etcdctl",
        "twine",
        "ssh-keygen",
        "vault login",
        "ngrok",
        "cqlsh",
        "sshpass",
        "openssl",
        "nerdctl",
    ),
)
"""Programs with a short option for a password."""
PLACES = frozenset({"root", "path", "directory", "log", "worktree", "folder", "home"})
"""Keys of our JSON that hold the place of a file: programs open it, so it stays as it is."""


def masked(text: str) -> str:
    """Return a text in which `***` replaces each password, token and key that is recognised."""
    if not may_hold_secrets(text):
        return text
    from devinit.masking.patterns import without_secrets  # compiles patterns, which few texts need

    return without_secrets(text)


def masked_value(name: str, value: str) -> str:
    """Return the value of a variable as it may be shown."""
    if hides(name) and value.lower() not in SWITCHES:
        return HIDDEN
    return masked(value)


def masked_line(line: str) -> str:
    """Return a line of a settings file that could not be read: what follows the name of a secret is hidden.

    What stands between the two is just what is wrong with the line: `PASSWORD: hunter2`, `PASSWORD hunter2`.
    """
    words = line.strip().split(maxsplit=1)
    name = words[0].strip("\"':=") if words else ""
    for sign in (":", "="):
        name = name.partition(sign)[0]
    return f"{name} {HIDDEN}" if hides(name) else masked(line)


def masked_words(words: Sequence[str]) -> list[str]:
    """Return the words of a command line without its secrets; the number of words stays the same."""
    shown = masked(SEPARATOR.join(words)).split(SEPARATOR)
    # A word may hold the separator itself.
    return shown if len(shown) == len(words) else [masked(word) for word in words]


def masked_data(value: Any, key: str = "") -> Any:
    """Return a copy of what is to be printed as JSON without the secrets in it. Any: JSON's free form."""
    match value:
        case str():
            return value if key in PLACES else masked_value(key, value)
        case dict():
            return {name: masked_data(each, name) for name, each in value.items()}
        case list() | tuple() if value and all(isinstance(each, str) for each in value):
            # A command line: what is secret about a word is said by the one before.
            return [masked_value(key, word) for word in masked_words(value)]
        case list() | tuple():
            return [masked_data(each, key) for each in value]
    return value


SEPARATOR = "\x1f"
"""Separates the words of a command line, which may hold spaces; patterns take it for white space."""


def may_hold_secrets(text: str) -> bool:
    """Whether a text may hold a secret; False is certain. This needs no pattern."""
    if "@" in text and "@" in text.replace(f":{HIDDEN}@", ""):
        return True
    is_command = SEPARATOR in text
    lower = text.lower().replace(SEPARATOR, " ") if is_command else text.lower()
    if has_one_of(HINTS, lower) and (
        has_one_of(SIGNS, lower) or has_one_of(PHRASES, lower) or has_hint_before_colon(lower)
    ):
        return True
    return (
        has_token(lower)
        or has_one_of(COMMANDS, lower)
        or ((" -" in lower or is_command) and has_one_of(PROGRAMS, lower))
        or (len(text) >= LINE_OF_KEY and not has_one_of(NOT_IN_KEYS, text[-LINE_OF_KEY:]))
    )


def has_token(lower: str) -> bool:
    """Whether a text may hold a token that is recognised by its form and has no hint in it."""
    return (
        has_one_of(TOKENS, lower)
        or ("_" in lower and has_one_of(TOKENS_WITH_UNDERSCORE, lower))
        or ("://" in lower and has_one_of(TOKEN_PLACES, lower))
    )


def has_hint_before_colon(lower: str) -> bool:
    """Whether a colon follows what may be the name of a secret: `{ password: 'x' }`."""
    for before in lower.split(":")[:-1]:
        if has_one_of(HINTS, before[-LONGEST_WORD:].rstrip().rpartition(" ")[2]):
            return True
    return False


def has_one_of(parts: Sequence[str], text: str) -> bool:
    """Whether a text contains one of some parts. A loop takes a third of the time of `any`."""
    for part in parts:  # noqa: SIM110  as above
        if part in text:
            return True
    return False
