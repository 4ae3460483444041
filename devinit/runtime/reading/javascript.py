"""What JavaScript and TypeScript read from their environment, with the literal that stands in for a missing value.

No parser of the language is at hand; what is looked for are single expressions, each within one line.
"""

from __future__ import annotations

import re

from devinit.runtime.reading.read import Code, Read

MARKS = (b"process.env", b"import.meta.env", b".default(")
"""Without one of these a file reads no variable in a way that is known here."""
_ENVIRONMENT = r"(?:process\.env|import\.meta\.env)"
_LITERAL = r"(?P<quote>[\"'`])(?P<default>[^\"'`\n]{0,300})(?P=quote)"
_OR_ELSE = re.compile(
    _ENVIRONMENT
    + r"(?:\.(?P<name>[A-Za-z_]\w{0,80})|\[[\"'](?P<key>[A-Za-z_]\w{0,80})[\"']\])"
    + r"(?:!|\s{1,3}as\s{1,3}string)?\)?\s{0,40}(?:\?\?|\|\|)\s{0,40}"
    + _LITERAL
)
_WITH_DEFAULT = re.compile(
    r"\b(?P<name>[A-Z][A-Z0-9_]{2,80})\s{0,9}:\s{0,9}z\b[^\n,]{0,200}\.default\(\s{0,9}" + _LITERAL
)
"""A schema of zod."""


def read_javascript(text: str) -> Code:
    """Return what a file of JavaScript or TypeScript reads with a default."""
    reads = []
    for pattern in (_OR_ELSE, _WITH_DEFAULT):
        for found in pattern.finditer(text):
            groups = found.groupdict()
            name = groups["name"] or groups.get("key")
            if name and "${" not in groups["default"]:
                line = text.count("\n", 0, found.start()) + 1
                reads.append(Read(name=name, line=line, default=groups["default"]))
    return Code(reads=tuple(reads))
