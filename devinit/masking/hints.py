"""Whether a text may hold a secret at all, without matching patterns: most texts hold none. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
NOT_IN_KEYS = (" ", ".", '"', "_", "-", ":")
"""None of these stands in a line of a key: paths have them."""
LINE_OF_KEY = 64
"""Characters of a line of a private key, at least."""
LONGEST_WORD = 240
"""Characters before a colon in which a name is searched, including colour codes."""
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
        "http ",
        "https ",
        "xh ",
        "xhs ",
        "gem ",
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
        or has_acl(lower)
        or ((" -" in lower or is_command) and has_one_of(PROGRAMS, lower))
        or text.rstrip().endswith("=")
        or (len(text) >= LINE_OF_KEY and not has_one_of(NOT_IN_KEYS, text[-LINE_OF_KEY:]))
    )


def has_token(lower: str) -> bool:
    """Whether a text may hold a token that is recognised by its form and has no hint in it."""
    return (
        has_one_of(TOKENS, lower)
        or ("_" in lower and has_one_of(TOKENS_WITH_UNDERSCORE, lower))
        or ("://" in lower and has_one_of(TOKEN_PLACES, lower))
    )


def has_acl(lower: str) -> bool:
    """Whether a text may hold the rules of a user of Redis: `user ada on >…`."""
    return ">" in lower and "user" in lower and has_one_of((" >", ' ">', " '>"), lower)


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
