"""Secrets that are recognised by their own form, whatever they are called: tokens, private keys. Pure."""

from __future__ import annotations

import re

from devinit.masking.hints import LINE_OF_KEY as SHORTEST_LINE_OF_KEY
from devinit.masking.hints import NOT_IN_KEYS, has_one_of, has_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = re.compile(
    r"(?:(?<![\w-])|(?<=%20)|(?<=%22))(?:"
    # A JSON Web Token: of three parts, of five when it is encrypted. The signature may be missing.
    r"eyJ[\w-]{6,}(?:\.[\w-]*+){2,4}"
    # GitHub, GitLab, npm, PyPI, Docker
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-AgE[\w-]{16,}|dckr_pat_[\w-]{20,}"
    # OpenAI, Anthropic and others; without a digit it is a word as sk-fading-circle. Hugging Face, Groq
    r"|sk-(?=[\w-]*\d)[\w-]{20,}|(?:hf|gsk)_[A-Za-z0-9]{30,}"
    # Stripe, Slack, Google, SendGrid, DigitalOcean, Shopify, Vault
    r"|[sr]k_(?:live|test)_\w{10,}|whsec_[\w+/=]{16,}|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{32,}|shp(?:at|ss)_\w{20,}|hvs\.[\w-]{20,}"
    r")"
    # What stands in addresses: Slack, Discord, Telegram
    r"|(?<=hooks\.slack\.com/services/)[\w/]+|(?<=/api/webhooks/)\d+/[\w-]+|(?<=/bot)\d{6,}:[\w-]{30,}"
    # Without a digit it is a word: "Bearer authentication-required"
    r"|(?i:(?<=\bbearer ))(?=[\w.~+/-]*\d)[\w.~+/-]{16,}=*"
)
LONGEST_END = 100
"""Characters at the end of a text in which a line of a private key is looked for."""
WITH_A_HINT = ("bearer", "sk-", "sk_", "pat-", "pat_")
"""How tokens begin that have the name of a secret in them."""
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<body>.*?)(?:-----END |\Z)", re.DOTALL
)
LINE_OF_KEY = re.compile(
    r"(?<![^\s\x1f])(?=[^\s]{0,80}[a-z])(?=[^\s]{0,80}[A-Z])(?=[^\s]{0,80}\d)"
    r"(?P<body>[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{6}){0,2}={0,2})\s*\Z"
)
"""Logs are shown line by line. What has letters of one case only is a checksum."""

LAST_LINE_OF_KEY = re.compile(
    r"(?<![^\s\x1f])(?=[^\s]{0,80}[a-z])(?=[^\s]{0,80}[A-Z])(?=[^\s]{0,80}\d)"
    r"(?P<body>[A-Za-z0-9+/]{10,70}={1,2})\s*\Z"
)
"""It is shorter than the others, and told from a word by the signs that fill it up."""
REST_OF_KEY = re.compile(r"(?<![^\s\x1f])(?P<body>=?[A-Za-z0-9+/]{2,76}={0,2})\s*\Z")
KEY_MARK, KEY_BEGINS, KEY_ENDS = "PRIVATE KEY", "-----BEGIN ", "-----END "
MOST_BEFORE = 2
"""Words before such a line: the name of its service, and what separates them."""


def is_line_of_key(text: str) -> bool:
    """Whether a line of a log looks like one of the whole lines of a private key."""
    ending = text[-LONGEST_END:]
    if len(text) < SHORTEST_LINE_OF_KEY or has_one_of(NOT_IN_KEYS, ending.rstrip()[-SHORTEST_LINE_OF_KEY:]):
        return False
    return LINE_OF_KEY.search(ending) is not None


def rest_of_key(text: str, *, is_certain: bool) -> tuple[int, int] | None:
    """Return where a line holds the end of a private key that began above it; None where it does not.

    `is_certain`: the lines above have the beginning of a key, and not only what looks like a line of one.
    """
    found = REST_OF_KEY.search(text, max(len(text) - LONGEST_END, 0))
    if found is None:
        return None
    body, before = found["body"], len(text[: found.start()].split())
    # No word: one has letters of one case, or begins with a capital one.
    is_like_one = body[1:] not in (body[1:].lower(), body[1:].upper()) or not body.isalpha()
    # Without `=`, base64 has four characters for three bytes.
    is_one = before == 0 or is_like_one if is_certain else is_like_one and len(body) % 4 == 0
    return found.span("body") if is_one and before <= MOST_BEFORE else None


def of_tokens(text: str, lower: str) -> Iterator[tuple[int, int]]:
    """Yield where tokens and private keys stand."""
    if has_token(lower) or has_one_of(WITH_A_HINT, lower):
        yield from (found.span() for found in TOKEN.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (found.span("body") for found in PRIVATE_KEY.finditer(text) if found["body"].strip())
    # The name of the service may precede it.
    if line := LINE_OF_KEY.search(text, max(len(text) - LONGEST_END, 0)):
        yield line.span("body")
        return
    line = LAST_LINE_OF_KEY.search(text, max(len(text) - LONGEST_END, 0))
    if line and len(text[: line.start()].split()) <= MOST_BEFORE:
        yield line.span("body")
