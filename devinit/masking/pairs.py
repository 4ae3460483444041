"""Where secrets stand whose name and value no sign joins: XML, variables in JSON, settings, commands. Pure."""

from __future__ import annotations

import re

from devinit.masking.hints import has_acl, has_one_of
from devinit.masking.names import hides
from devinit.masking.values import REFERENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE = r"(?P<value>[^\s\"']*[^\s\"',.:)\]}>`])"
"""Up to what ends a sentence or a quotation."""
ELEMENT = re.compile(r"<(?P<name>[\w.-]{1,200})>(?P<value>[^<>]+)</(?P=name)>")
ATTRIBUTES = re.compile(
    r"\b(?i:key|name)\\*[\"']?\s?[=:]\s?\\*[\"'](?P<name>[\w.-]{1,200})\\*[\"'],?\s*"
    r"\\*[\"']?(?i:value)\\*[\"']?\s?[=:]\s?\\*[\"'](?P<value>[^\"'\\]+)"
)
"""`{"name": "DB_PASSWORD", "value": "…"}` of Kubernetes and ECS, `<add key="Password" value="…"/>` of .NET."""
SPACED = re.compile(
    r"\b(?:(?i:config(?:ure)?[ \x1f]set|setx|setenv)|ENV)[ \x1f]+"
    rf"(?:\S{{0,200}}[/:])?(?P<name>[\w.-]{{1,200}})[ \x1f]+[\"']?(?![=-]){VALUE}"
)
"""`aws configure set aws_secret_access_key …`, `ENV DB_PASSWORD …` of a Dockerfile."""
DIRECTIVE = re.compile(
    r"(?i)\b(?:(?:requirepass|masterauth)|login[ \x1f]+\S{1,200}[ \x1f]+password)[ \x1f]+"
    rf"[\"']?(?![=-]){VALUE}"
)
"""Lines of redis.conf and .netrc."""
_NEXT = r"[\"']?[ \x1f]+[\"']?"
ACL = re.compile(
    rf"(?i)\b(?P<command>setuser|user){_NEXT}[^\s\"']{{1,200}}"
    rf"(?P<rules>(?:{_NEXT}(?:on\b|off\b|reset\w*|nopass|clearselectors|(?:skip-)?sanitize-payload|(?:all|no)\w+"
    r"|[~+&%#(<>-][^\s\"']+))+)"
)
"""`ACL SETUSER ada on >…`, and such a line of an ACL file, as Redis prints it in an error."""
ACL_SWITCH = re.compile(r"(?i)[\s\"'](?:on|off)\b")
ACL_PASSWORD = re.compile(r"[\s\"'][<>](?P<value>[^\s\"']+)")


def paired(text: str, lower: str) -> Iterator[tuple[int, int]]:
    """Yield where values stand whose name and value are not joined by a sign: XML, settings files, commands."""
    for pattern, signs in ((ELEMENT, ("</",)), (ATTRIBUTES, ("value",)), (SPACED, ("set", "env"))):
        # Looking for these takes a twentieth of the time of the pattern.
        for found in pattern.finditer(text) if has_one_of(signs, lower) else ():
            if hides(found["name"]) and not REFERENCE.fullmatch(found["value"]):
                yield found.span("value")
    if has_one_of(("requirepass", "masterauth", "login"), lower):
        yield from (found.span("value") for found in DIRECTIVE.finditer(text))
    if has_acl(lower):
        yield from of_acl(text)


def of_acl(text: str) -> Iterator[tuple[int, int]]:
    """Yield where passwords stand in the rules of Redis's users; `user ada >log` alone is none of them."""
    for found in ACL.finditer(text):
        if found["command"].lower() == "setuser" or ACL_SWITCH.search(found["rules"]):
            passwords = ACL_PASSWORD.finditer(text, *found.span("rules"))
            yield from (password.span("value") for password in passwords)
