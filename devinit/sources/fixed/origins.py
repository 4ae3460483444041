"""Find origins that a backend accepts as constants: the browser refuses its answers to pages on other ports. Pure.

Python is read by its syntax tree. In other languages, the lists follow the names that frameworks give them:
`cors({ origin: … })`, `allowedOrigins(…)`, `WithOrigins(…)`, `AllowOrigins: …`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from devinit.python_code import parsed
from devinit.sources.fixed.python_names import is_one_of, name_of

LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0)"
_ADDRESS = re.compile(rf"(?:https?|wss?)://{LOCAL}:(\d{{2,5}})\b")
_ORIGINS = re.compile(r"ORIGIN|CORS_|CSRF_TRUSTED", re.IGNORECASE)
_SETTINGS = ("BaseSettings", "Settings")
_READS_ENVIRONMENT = frozenset({"getenv", "environ", "env", "config", "get", "Field", "list", "split"})
_LINE_END = re.compile(r"\r\n?|\n")
"""Line endings as Python counts them."""
SUFFIXES = (".java", ".kt", ".cs", ".go", ".rb", ".rs", ".php")
"""Suffixes of further source files that may have a list of origins, beside Python and JavaScript."""
_TEXT = r"[\"'`][^\"'`\n]{0,300}[\"'`]"
_ACCEPTING = re.compile(
    r"(?:\b(?:set|add)?"
    r"(?i:allow(?:ed)?_?origins?(?:_?patterns?)?|with_?origins|cors_?(?:allowed_?)?origins?|white_?list)"
    r"|\bAccess-Control-Allow-Origin|@CrossOrigin"
    r"|\borigins?(?=[\"']?\s{0,9}(?::(?!:)|=>))|^[ \t]{0,40}origins(?=[ \t(]))"
    r"(?P<between>[^;\"'`]{0,80}(?:[\"'][ \t]{0,9}(?:,|=>|:)[^;\"'`]{0,40})?)"
    rf"(?P<list>{_TEXT}(?:\s{{0,80}},(?:\s{{0,80}}(?://|\#)[^\n]{{0,200}}\n)?\s{{0,80}}{_TEXT}){{0,30}})"
    r"(?P<rest>[^;)\]}\n]{0,200})",
    re.MULTILINE,
)
"""Matches the name of a list, the text before its first item, its items, and the rest of the list."""
_PORT = re.compile(rf"(?:\bhttps?://|(?<=[\"'])){LOCAL}:(\d{{2,5}})\b")
"""Matches an item of a list; Rack takes origins without a scheme."""
_FROM_ELSEWHERE = re.compile(
    r"\benv\b|\benv\(|getenv|environ|Getenv|ENV\[|ENV\.|\?\?|\|\||config\(|default\("
)


def origins_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield port and position of each local origin in a list that a program accepts.

    A list that accepts every origin, or that the environment may extend, fixes no port.
    """
    for found in _ACCEPTING.finditer(text):
        said = found["between"] + found["rest"]
        if _FROM_ELSEWHERE.search(said) or re.search(r"[\"'`]\*[\"'`]", found["list"]):
            continue
        for port in _PORT.finditer(found["list"]):
            yield int(port[1]), found.start("list") + port.start()


def origins_in_python(text: str) -> Iterator[tuple[int, int]]:
    """Yield port and position of each local origin in a list that a Python program accepts."""
    module = parsed(text) if _ADDRESS.search(text) and _ORIGINS.search(text) else None
    if module is None:
        return
    lines = [0, *(found.end() for found in _LINE_END.finditer(text))]
    for value in _lists_of_origins(module):
        for node in (each for each in ast.walk(value) if isinstance(each, ast.Constant)):
            origin = node.value if isinstance(node.value, str) else ""
            if found := _ADDRESS.fullmatch(origin.rstrip("/")):
                yield int(found[1]), lines[node.lineno - 1]


def _lists_of_origins(module: ast.Module) -> Iterator[ast.expr]:
    """Yield the values of lists of origins, except those that the environment can replace."""
    overridable = {
        id(inner)
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and any(name_of(base).endswith(_SETTINGS) for base in node.bases)
        for field in node.body
        if not isinstance(field, ast.FunctionDef)  # a property is no field of the settings
        for inner in ast.walk(field)
    }
    for node in ast.walk(module):
        if id(node) in overridable:
            continue
        match node:
            case ast.Assign(targets=[target], value=value) if _ORIGINS.search(name_of(target)):
                values = [value]
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _ORIGINS.search(name_of(target)):
                values = [value]
            case ast.keyword(arg=str() as name, value=value) if _ORIGINS.search(name):
                values = [value]
            case ast.FunctionDef(name=name) if _ORIGINS.search(name):
                returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
                values = [each for each in returned if isinstance(each, ast.List | ast.Tuple)]
                inner = (part for each in node.body for part in ast.walk(each))
                values = [] if any(is_one_of(_READS_ENVIRONMENT, each) for each in inner) else values
            case _:
                continue
        yield from (
            each for each in values if not any(is_one_of(_READS_ENVIRONMENT, each) for each in ast.walk(each))
        )
