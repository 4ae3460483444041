"""The one list of names that hold secrets: variables, options, keys of connection strings. Pure, without patterns.

A name is read as words (`RAILS_MASTER_KEY`, `clientSecret`, `--db-pass`), so that COMPASS, PATH and MONKEY_KEYS
stay readable.
"""

from __future__ import annotations

SECRET_WORDS = ("PAT",)
"""What is a secret as a word of its own, anywhere in a name: GITHUB_PAT, and neither PATH nor COMPAT."""
SECRET_ENDINGS = (
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PASS",
    "PWD",
    "PSWD",
    "PW",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "DSN",
    "APIKEY",
    "APPKEY",
    "AUTHKEY",
    "ACCESSKEY",
    "ACCOUNTKEY",
    "ENCRYPTIONKEY",
    "LICENSEKEY",
    "MASTERAUTH",
    "MASTERKEY",
    "PASSKEY",
    "PRIVATEKEY",
    "SECRETKEY",
    "SHAREDKEY",
    "SIGNINGKEY",
)
"""How a word of a name ends that is a secret: also of PGPASSWORD, DBPASS, SSHPASS."""
SECRET_STEMS = ("PASSWORD", "PASSWD")
"""What makes a word a secret wherever it stands in it: PASSWORDHASH."""
NO_SECRETS = frozenset(
    {
        "ASKPASS",  # GIT_ASKPASS and SSH_ASKPASS name a program
        "BANDPASS",
        "BYPASS",
        "COMPASS",
        "ENCOMPASS",
        "HIGHPASS",
        "LOWPASS",
        "OVERPASS",
        "SURPASS",
        "TRESPASS",
        "UNDERPASS",
    }
)
"""Words that only end like a secret."""
SECRET_LAST = frozenset(
    {"AUTH", "BEARER", "MNEMONIC", "PEPPER", "SALT", "SK"},
)
"""What is a secret as the last of several words: REDIS_AUTH, ERLANG_COOKIE, STRIPE_SK."""
SECRET_ALONE = frozenset({"AUTHORIZATION", "COOKIE", "JWT"})
"""What is a secret as the last word, and alone as well: the keys of headers that were printed as an object."""
IN_QUERIES = frozenset({"SIG", "SIGNATURE"})
"""What is a secret as the last word of a URL's parameter: X-Amz-Signature."""
GUARDING = frozenset(
    {
        "ACCESS",
        "API",
        "APP",
        "AUTH",
        "ENCRYPTION",
        "LICENSE",
        "MASTER",
        "PRIVATE",
        "REFRESH",
        "SECRET",
        "SERVICE",
        "SIGNING",
    }
)
"""What makes a secret of a KEY that is not the last word, and of KEYS and TOKENS: API_KEY_PROD, API_KEYS."""
OPEN_KEYS = frozenset(
    {
        "CACHE",
        "FOREIGN",
        "HOT",
        "PARTITION",
        "PRIMARY",
        "PUBLIC",
        "PUBLISHABLE",
        "ROUTING",
        "SHORTCUT",
        "SORT",
    }
)
"""Keys that are public: STRIPE_PUBLISHABLE_KEY, SORT_KEY. Every other `*_KEY` is a secret."""
DESCRIPTIONS = frozenset(
    {
        "ALGORITHM",
        "ARN",
        "AUDIENCE",
        "COST",
        "COUNT",
        "DAYS",
        "DIR",
        "ENABLED",
        "ENDPOINT",
        "EXPIRE",
        "EXPIRES",
        "EXPIRY",
        "FIELD",
        "FILE",
        "FORMAT",
        "HASHER",
        "HASHERS",
        "HEADER",
        "HOST",
        "HOURS",
        "ISSUER",
        "ITERATIONS",
        "LENGTH",
        "LEVEL",
        "LIMIT",
        "LIFETIME",
        "MAX",
        "MIN",
        "MINUTES",
        "MODE",
        "NAME",
        "PATH",
        "POLICY",
        "PORT",
        "PREFIX",
        "REQUIRED",
        "ROUNDS",
        "SECONDS",
        "SIZE",
        "TIMEOUT",
        "TTL",
        "TYPE",
        "URI",
        "URL",
        "USER",
        "USERNAME",
        "VALIDATORS",
        "VERSION",
    }
)
"""Last words that say something about a secret, and hold none: POSTGRES_PASSWORD_FILE, TOKEN_TTL."""
NPM_AUTH = "_auth"
"""User and password in .npmrc."""
OF_THE_SHELL = frozenset({"PWD", "OLDPWD"})
"""Folders, in every environment."""
SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "random"})
"""Values that are no secret whatever they are called: CORS_ALLOW_CREDENTIALS=true, `password = "random"`."""


def hides(name: str) -> bool:
    """Whether what has this name is not to be shown."""
    if name in OF_THE_SHELL:
        return False
    if name == NPM_AUTH:
        return True
    words = words_of(name)
    while words and words[-1].isdigit():
        words.pop()
    if not words or is_description(words):
        return False
    return any(map(is_secret, words)) or is_secret_at_the_end(words) or is_secret_key(words)


def is_description(words: list[str]) -> bool:
    """Whether a name says something about a secret: AWS_ACCESS_KEY_ID, but not VAULT_SECRET_ID."""
    return words[-1] in DESCRIPTIONS or words[-2:] in (["KEY", "ID"], ["TOKEN", "ID"])


def is_secret(word: str) -> bool:
    """Whether a word makes any name that contains it the name of a secret."""
    if word in NO_SECRETS:
        return False
    return word in SECRET_WORDS or word.endswith(SECRET_ENDINGS) or any(stem in word for stem in SECRET_STEMS)


def is_secret_at_the_end(words: list[str]) -> bool:
    """Whether a name ends with a word that is a secret there."""
    return (
        words[-1] in SECRET_ALONE
        or (len(words) > 1 and words[-1] in SECRET_LAST)
        or (words[-1] in ("KEYS", "TOKENS") and len(words) > 1 and words[-2] in GUARDING)
    )


def is_secret_key(words: list[str]) -> bool:
    """Whether a name is that of a key which opens something."""
    if words[-1] == "KEY":
        return len(words) > 1 and words[-2] not in OPEN_KEYS
    if words[-2:] == ["KEY", "DATA"]:
        return True
    return any(word == "KEY" and kind in GUARDING for kind, word in zip(words, words[1:], strict=False))  # noqa: RUF007  itertools is not loaded for this


def words_of(name: str) -> list[str]:
    """Return the words of a name in capitals: of DB_PASS, db-pass, db.pass and dbPass DB and PASS."""
    words = [""]
    before = ""
    for position, character in enumerate(name):
        if not character.isalnum():
            words.append("")
        elif character.isupper() and (before.islower() or is_last_capital(name, position, before)):
            words.append(character)
        else:
            words[-1] += character
        before = character
    return [word.upper() for word in words if word]


def is_last_capital(name: str, position: int, before: str) -> bool:
    """Whether a capital begins a word after others: the K of APIKey."""
    return before.isupper() and name[position + 1 : position + 2].islower()
