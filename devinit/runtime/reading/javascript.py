"""Variables that JavaScript and TypeScript read from their environment, with their default values.

devinit has no parser for these languages. It looks for single expressions, each within one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.runtime.forms.lists import Separator
from devinit.runtime.reading.read import Code, Read

MARKS = (b"process.env", b"import.meta.env", b".default(", b"$env/static/public")
"""A file without one of these reads no variable in a way that this module knows."""
_ENVIRONMENT = r"(?:process\.env|import\.meta\.env)"
_NAME = r"(?:\.(?P<name>[A-Za-z_]\w{0,80})|\[[\"'](?P<key>[A-Za-z_]\w{0,80})[\"']\])"
_LITERAL = r"(?P<quote>[\"'`])(?P<default>[^\"'`\n]{0,300})(?P=quote)"
_OR_ELSE = re.compile(
    _ENVIRONMENT
    + _NAME
    + r"(?:!|\s{1,3}as\s{1,3}string)?\)?\s{0,40}(?:\?\?|\|\|)\s{0,40}"
    + _LITERAL
    + r"(?P<split>\)?\s{0,40}\??\.split\([\"'],)?"
)
_OR_ELSE_A_LIST = re.compile(_ENVIRONMENT + _NAME + r"\)?\s{0,40}(?:\?\?|\|\|)\s{0,40}\[\s{0,80}" + _LITERAL)
"""The default is a list, the value is one text: `process.env.CORS_ORIGIN || ["http://localhost:3000"]`."""
_PORT_OF_AN_ADDRESS = re.compile(
    r"://(?:localhost|127\.0\.0\.1):\$\{\s{0,9}"
    + _ENVIRONMENT
    + _NAME
    + r"\s{0,9}(?:\?\?|\|\|)\s{0,9}[\"']?(?P<default>\d{2,5})[\"']?\s{0,9}\}"
)
"""The port of an address on this machine, with a default: `http://localhost:${process.env.API_PORT || 8000}`."""
_WITH_DEFAULT = re.compile(
    r"\b(?P<name>[A-Z][A-Z0-9_]{2,80})\s{0,9}:\s{0,9}z\b[^\n,]{0,200}\.default\(\s{0,9}" + _LITERAL
)
"""A zod schema."""
_SPLIT = re.compile(_ENVIRONMENT + _NAME + r"!?\s{0,40}\??\.split\([\"'],")
"""A list that the code splits at commas: `process.env.CORS_ORIGIN?.split(",")`."""
_ORIGIN = re.compile(
    r"\borigin[\"']?\s{0,9}:\s{0,9}\[?\s{0,40}" + _ENVIRONMENT + _NAME + r"!?\s{0,9}[,\]}\n]"
)
"""The only origin that a Node server accepts: `cors({ origin: process.env.CLIENT_URL })`."""
_FOR_BROWSERS = re.compile(
    _ENVIRONMENT
    + r"(?P<all>\.(?P<name>(?:VITE|NEXT_PUBLIC|REACT_APP|VUE_APP|PUBLIC|NUXT_PUBLIC|GATSBY)_[A-Z0-9_]{1,60}_URL)"
    + r"\b)(?!\s{0,40}(?:\?|\|\||&&|[!=]==?))"
)
"""An address that a page needs: without a value, the bundler inserts `undefined`."""
_CONNECTS = re.compile(
    r"(?:\b(?:connectionString|dsn|url|uri)[\"']?\s{0,9}:|\bnew (?:Pool|Client|Redis|IORedis)\("
    r"|\b(?:postgres|createClient)\()\s{0,40}"
    + _ENVIRONMENT
    + r"\.(?P<name>[A-Z][A-Z0-9_]{0,60}(?:URL|URI|DSN))!?(?:\s{1,3}as\s{1,3}string)?\s{0,9}[,)}\n]"
)
"""The address of a data source: `new Pool({ connectionString: process.env.SHOP_DB_DSN })`."""
_PARTS = re.compile(
    r"\b(?:host|port|user|username|password|database)[\"']?\s{0,9}:\s{0,9}(?:\+|(?:Number|parseInt)\()?\s{0,9}"
    + _ENVIRONMENT
    + r"\.(?P<name>(?:[A-Z0-9]{1,20}_){1,3}(?:HOST|PORT|USER|USERNAME|PASS|PASSWORD|NAME|DATABASE|DB))\b"
)
"""A part of an address: `new Pool({ host: process.env.DB_HOST, port: process.env.DB_PORT || 5432 })`."""
_IMPORTED = re.compile(
    r"\bimport\s{0,9}\{(?P<names>[^}]{0,400})\}\s{0,9}from\s{0,9}[\"']\$env/static/public[\"']"
)
"""Names without which SvelteKit refuses to build."""
_NEEDED = re.compile(
    r"\$\{\s{0,9}" + _ENVIRONMENT + r"\.(?P<name>[A-Za-z_]\w{0,80})!?\s{0,9}\}"
    r"|" + _ENVIRONMENT + r"\.(?P<key>[A-Za-z_]\w{0,80})!?\s{0,9}\+\s{0,9}[\"'`]"
)
"""A value that is inserted into a text: without it, the result is `undefined/users`."""


def read_javascript(text: str) -> Code:
    """Return the variables that a JavaScript or TypeScript file reads."""
    reads = (*_with_defaults(text), *_without(text))
    return Code(reads=tuple(dict.fromkeys(reads)))


def _with_defaults(text: str) -> Iterator[Read]:
    for pattern in (_OR_ELSE, _WITH_DEFAULT):
        for found in pattern.finditer(text):
            groups = found.groupdict()
            if "${" not in groups["default"]:
                separator = Separator.COMMA if groups.get("split") else None
                yield _read(text, found, default=groups["default"], separator=separator)

    for found in _PORT_OF_AN_ADDRESS.finditer(text):
        yield _read(text, found, default=found["default"])
    for found in _OR_ELSE_A_LIST.finditer(text):
        if "${" not in found["default"] and "://" in found["default"]:
            yield _read(text, found, default=found["default"], is_one_origin=True)


def _without(text: str) -> Iterator[Read]:
    """Yield variables without a default: lists of origins, single origins, and addresses for pages."""
    for found in _SPLIT.finditer(text):
        yield _read(text, found, separator=Separator.COMMA)
    for pattern in (_ORIGIN, _FOR_BROWSERS, _CONNECTS, _PARTS):
        for found in pattern.finditer(text):
            yield _read(text, found, is_required=True, is_one_origin=pattern is _ORIGIN)
    for found in _NEEDED.finditer(text):
        if (found["name"] or found["key"]).endswith("URL"):
            yield _read(text, found, is_required=True)
    for found in _IMPORTED.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        for name in re.findall(r"\b[A-Z][A-Z0-9_]{0,80}\b", found["names"]):
            yield Read(name=name, line=line, is_required=True)


def _read(
    text: str,
    found: re.Match[str],
    *,
    default: str = "",
    is_required: bool = False,
    separator: Separator | None = None,
    is_one_origin: bool = False,
) -> Read:
    groups = found.groupdict()
    return Read(
        name=groups["name"] or groups.get("key") or "",
        line=text.count("\n", 0, found.start()) + 1,
        default=default,
        is_required=is_required,
        separator=separator,
        is_one_origin=is_one_origin,
    )
