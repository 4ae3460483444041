"""Where passwords stand in the command lines of programs that take them without a telling name. Pure."""

from __future__ import annotations

import re

from devinit.masking.hints import PROGRAMS, SEPARATOR, has_one_of
from devinit.masking.values import REFERENCE, VALUE, WORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT_OPTIONS = re.compile(
    r"(?<![\w.-])(?P<program>"
    r"(?:mysql|mariadb)(?:dump|admin|import|check|show|slap|pump|sh)?(?:-[a-z]++)*|mycli|7za?"
    r"|sshpass|mongo(?:sh|dump|restore|export|import|stat|top)?|rabbitmq(?:admin|ctl)|cqlsh|etcdctl"
    r"|(?:redis|valkey|keydb)-(?:cli|benchmark)|https?|xhs?|gem(?=\s+(?:push|yank|owner))|twine|az(?=\s+login)|smbclient|ssh-keygen|vault|ngrok|mosquitto_(?:pub|sub|rr)|sqlcmd|bcp|(?:un)?zip"
    r"|ldap(?:search|add|modify|delete|whoami|passwd)|curl|(?:docker|podman|nerdctl)(?=\s+login)|openssl"
    r")(?=[\s\"'])"
)
END_OF_COMMAND = re.compile(r"[;|\n]")
_ATTACHED = r"-p(?=\S)"
_EITHER = r"-p\s*(?=\S)"
_AUTH = r"(?i:auth)(?:\s+\S+(?=\s+\S+\s*\Z))?"
"""Redis's command, with or without the name of a user."""
_FLAGS = r"-[#afgijklnpqsvILNORSZ0-9]{0,9}"
"""Options of curl without a value, which may stand together with the last one: `-sSu`."""
OPTION_OF = {
    **dict.fromkeys(("mysql", "mariadb", "mycli", "7z"), _ATTACHED),
    **dict.fromkeys(("sshpass", "mongo", "rabbitmqadmin", "cqlsh", "twine", "az"), _EITHER),
    **dict.fromkeys(("docker", "podman", "nerdctl"), _EITHER),
    **dict.fromkeys(("redis-cli", "valkey-cli", "keydb-cli"), rf"(?:-a|{_AUTH})\s+(?=\S)"),
    **dict.fromkeys(("redis-benchmark", "valkey-benchmark", "keydb-benchmark"), r"-a\s+(?=\S)"),
    "rabbitmqctl": r"(?:add_user|change_password|authenticate_user)\s+\S+\s+(?=\S)",
    **dict.fromkeys(("http", "xh"), r"(?:-a\s*|--auth[\s=]+)(?:[^\s:\"']*:)?(?=\S)"),
    "gem": r"(?:-k\s*|--key[\s=]+)(?=\S)",
    "etcdctl": r"--user[\s=]+[^\s:\"']*:(?=\S)",
    "smbclient": r"-U\s*[^\s%\"']+%(?=\S)",
    "ssh-keygen": r"-[NP]\s+(?=\S)",
    "vault": r"login\s+(?=[^\s-])",
    "ngrok": r"add-authtoken\s+(?=\S)",
    **dict.fromkeys(("mosquitto", "sqlcmd", "bcp", "zip", "unzip"), r"-P\s*(?=\S)"),
    "ldap": r"-w\s*(?=\S)",
    "curl": rf"(?:{_FLAGS}[uU]\s*|--(?:proxy-)?user[\s=]+)[^\s:\"']*:(?=\S)|{_FLAGS}b\s*(?=[\"']?[\w.%-]+=)",
    "openssl": r"-pass(?:in|out)?\s+pass:(?=\S)",
}
"""What precedes a password in the command line of a program, by the beginning of the program's name."""


def of_programs(text: str, lower: str) -> Iterator[tuple[int, int]]:
    """Yield where passwords stand behind the short options of programs that have one for them."""
    if not has_one_of(PROGRAMS, lower):
        return
    programs = list(SHORT_OPTIONS.finditer(text))
    ends = [*(each.start() for each in programs), len(text)][1:]
    for program, end in zip(programs, ends, strict=True):
        name = program["program"]
        before = next(option for beginning, option in OPTION_OF.items() if name.startswith(beginning))
        command = END_OF_COMMAND.split(text[program.end() : end], maxsplit=1)[0]
        for option in re.finditer(rf"(?<![^\s\"'])(?:{before})", command):
            if found := password_at(text, program.end() + option.end()):
                yield found
            if name == "sshpass":
                break  # what follows is the command of another program


def password_at(text: str, start: int) -> tuple[int, int] | None:
    """Return the span of the password that begins at `start`; None for a variable in its place."""
    found = VALUE.match(text, start)
    if found is None or REFERENCE.fullmatch(found[0]) or found["inside"] == "":
        return None
    if SEPARATOR in text and (word := WORD.match(text, start)) and SEPARATOR in text[:start]:
        return word.span()
    return found.span("inside") if found["quote"] else found.span()
