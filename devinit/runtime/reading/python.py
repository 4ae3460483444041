"""Variables that Python code reads: pydantic settings, os.environ, django-environ, environs, decouple."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from devinit.python_code import parsed
from devinit.runtime.forms.lists import Separator
from devinit.runtime.reading.read import ASYNC_DRIVER, Code, Read, joined
from devinit.runtime.reading.settings import settings_of, text_of, texts_of

MARKS = (
    *(b"BaseSettings", b"environ", b"getenv", b"decouple", b"dj_database_url", b"load_dotenv"),
    b"create_async_engine",
)
"""A file without one of these reads no variable in a way that this module knows."""
_SPLIT = re.compile(r"(\w{1,60})\.split\(\s{0,9}[\"'],")
"""Matches an attribute that the code splits at commas."""
_TYPED = frozenset({"str", "url", "db", "db_url", "cache", "cache_url", "list", "tuple", "int", "path"})
"""Methods of django-environ's Env and of environs that read one variable."""
_USUAL = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL"}
_LISTS = ("Csv", "CommaSeparatedStrings")


def read_python(text: str) -> Code:
    """Return the variables that a Python file reads; none if Python cannot parse it."""
    tree = parsed(text)
    if tree is None:
        return Code()
    split = frozenset(_SPLIT.findall(text))
    try:
        found = settings_of(tree, split)
        calls, loads = tuple(_reads(tree)), [*_loads(tree)]
    except RecursionError:
        return Code()
    return Code(
        reads=(*found.reads, *calls),
        env_files=(*found.env_files, *(name for each in loads if (name := _file_of(each)))),
        overrides_at=next((each.lineno for each in loads if _overrides(each)), 0),
    )


def _reads(tree: ast.AST) -> Iterator[Read]:
    """Yield the variables that calls and subscripts read."""
    inside: dict[ast.AST, Separator] = {}
    for node in ast.walk(tree):
        match node:
            # `os.getenv("A", "").split(",")`, `json.loads(os.environ["A"])`
            case ast.Call(func=ast.Attribute(attr="split", value=call), args=[ast.Constant(value=","), *_]):
                inside[call] = Separator.COMMA
            case ast.Call(func=ast.Attribute(attr="loads"), args=[call]):
                inside[call] = Separator.JSON
    for node in ast.walk(tree):
        separator = inside.get(node)
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                if _is_environ(value):
                    yield Read(name=name, line=node.lineno, is_required=True, separator=separator)
            case ast.Call(func=ast.Name(id="create_async_engine"), args=[url, *_]):
                yield from _with_async_driver(url, node)
            case ast.Call():
                yield from _called(node, separator)


def _with_async_driver(url: ast.expr, call: ast.Call) -> Iterator[Read]:
    """Yield the variable for the URL of a SQLAlchemy engine that accepts only asynchronous drivers."""
    match url:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            yield from _with_async_driver(inner, call)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield Read(name=name.upper(), line=call.lineno, default=ASYNC_DRIVER)


def _loads(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that load a `.env` file."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="load_dotenv") | ast.Attribute(attr="load_dotenv")):
                yield node


def _file_of(load: ast.Call) -> str:
    named = [each.value for each in load.keywords if each.arg == "dotenv_path"]
    return next((text for each in (*load.args[:1], *named) if (text := text_of(each))), "")


def _overrides(load: ast.Call) -> bool:
    values = [each.value for each in load.keywords if each.arg == "override"] + load.args[3:4]
    return any(isinstance(each, ast.Constant) and each.value is True for each in values)


def _called(call: ast.Call, separator: Separator | None) -> Iterator[Read]:
    function = call.func
    name = text_of(call.args[0]) if call.args else None
    keywords = {each.arg: each.value for each in call.keywords if each.arg}
    second = call.args[1] if len(call.args) > 1 else None
    match function:
        case ast.Attribute(attr="getenv") | ast.Name(id="getenv"):
            default = second or keywords.get("default")
            yield from _read(name, call, default, separator, is_required=_is_dsn(name, default))
        case ast.Attribute(attr="get", value=value) if _is_environ(value):
            yield from _read(name, call, second, separator, is_required=_is_dsn(name, second))
        case ast.Attribute(attr="config", value=ast.Name(id="dj_database_url")):
            name = text_of(keywords.get("env")) or name or "DATABASE_URL"
            yield from _read(name, call, keywords.get("default"), None, is_required=False)
        case ast.Attribute(attr=attribute, value=ast.Name(id="env")) if attribute in _TYPED:
            separator = Separator.COMMA if attribute in ("list", "tuple") else None
            default = keywords.get("default", second)
            yield from _read(
                name or _USUAL.get(attribute), call, default, separator, is_required=default is None
            )
        case ast.Name(id="env" | "config"):
            default = keywords.get("default", second if function.id == "env" else None)
            cast = ast.unparse(keywords["cast"]) if "cast" in keywords else ""
            is_list = any(word in cast for word in _LISTS)
            yield from _read(
                name, call, default, Separator.COMMA if is_list else None, is_required=default is None
            )


def _is_dsn(name: str | None, default: ast.expr | None) -> bool:
    """Whether a variable is a DSN without a default: the code may read it only when it connects."""
    return default is None and (name or "").endswith("_DSN")


def _read(
    name: str | None,
    call: ast.Call,
    default: ast.expr | None,
    separator: Separator | None,
    *,
    is_required: bool,
) -> Iterator[Read]:
    if name is None or not name.isidentifier():
        return
    entries = texts_of(default)
    text = text_of(default)
    if entries is not None and separator is not None:
        text = joined(entries, separator)
    yield Read(name=name, line=call.lineno, default=text or "", is_required=is_required, separator=separator)


def _is_environ(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )
