"""Settings classes of pydantic: the variable behind each field, and its form. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from devinit.runtime.forms.lists import Separator
from devinit.runtime.reading.read import Code, Read, joined

_BASE = "BaseSettings"
DEEPEST = 4
"""Levels of nested classes whose fields are variables."""
_LIST = re.compile(r"\b(?:list|List|set|Set|frozenset|FrozenSet|tuple|Tuple|Sequence)\[")
_ADDRESSES = {
    "PostgresDsn": "postgresql://localhost",
    "RedisDsn": "redis://localhost",
}
"""Types that determine the scheme of a value."""


class Configured(Struct, frozen=True, kw_only=True):
    """The settings by which a class finds the variables of its fields."""

    prefix: str = ""
    delimiter: str = ""
    env_files: tuple[str, ...] = ()


def settings_of(tree: ast.Module, split: frozenset[str]) -> Code:
    """Return the variables that the settings classes of a module read.

    `split`: attributes that the module splits at commas.
    """
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    reads: list[Read] = []
    env_files: list[str] = []
    for node in classes.values():
        if not _is_settings(node, classes):
            continue
        configured = _configured(node, classes)
        env_files += configured.env_files
        reads += _fields(node, classes, configured, split, configured.prefix, depth=0)
    return Code(reads=tuple(reads), env_files=tuple(dict.fromkeys(env_files)))


def text_of(node: ast.expr | None) -> str | None:
    """Return the text of an expression, which may be a number or wrapped in a type; None for any other expression.

    `RedisDsn("redis://localhost:6379/2")` has the text of its argument.
    """
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int(number)):
            return str(number)
        case ast.Call(func=kind, args=[only], keywords=[]) if _last_name(kind)[:1].isupper():
            return text_of(only)
        case ast.Call(func=kind, args=[], keywords=[ast.keyword(arg="url", value=only)]):
            return text_of(only)
    return None


def texts_of(node: ast.expr | None) -> list[str] | None:
    """Return the texts in a list, a tuple or a set; None for any other expression."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None
    texts = [text_of(each) for each in node.elts]
    return [text for text in texts if text is not None]


def _is_settings(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], depth: int = 0) -> bool:
    for base in node.bases:
        name = _last_name(base)
        if name.endswith(_BASE):
            return True
        other = classes.get(name) if depth < DEEPEST else None
        if other is not None and other is not node and _is_settings(other, classes, depth + 1):
            return True
    return False


def _configured(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], depth: int = 0) -> Configured:
    for each in node.body:
        match each:
            case ast.Assign(targets=[ast.Name(id="model_config")], value=value):
                return _from(dict(_pairs(value)))
            case ast.ClassDef(name="Config"):
                assigned = {
                    target.id: line.value
                    for line in each.body
                    if isinstance(line, ast.Assign)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                }
                return _from(assigned)
    for base in node.bases:
        other = classes.get(_last_name(base))
        if depth < DEEPEST and other is not None and other is not node:
            return _configured(other, classes, depth + 1)
    return Configured()


def _pairs(value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match value:
        case ast.Call(keywords=keywords):
            yield from ((each.arg, each.value) for each in keywords if each.arg)
        case ast.Dict(keys=keys, values=values):
            for key, each in zip(keys, values, strict=True):
                if (name := text_of(key)) is not None:
                    yield name, each


def _from(values: Mapping[str, ast.expr]) -> Configured:
    file = values.get("env_file")
    files = texts_of(file) or ([text] if (text := text_of(file)) else [])
    return Configured(
        prefix=text_of(values.get("env_prefix")) or "",
        delimiter=text_of(values.get("env_nested_delimiter")) or "",
        env_files=tuple(files),
    )


def _fields(
    node: ast.ClassDef,
    classes: Mapping[str, ast.ClassDef],
    configured: Configured,
    split: frozenset[str],
    prefix: str,
    *,
    depth: int,
) -> Iterator[Read]:
    for base in node.bases:
        other = classes.get(_last_name(base))
        if other is not None and other is not node and depth < DEEPEST:
            yield from _fields(other, classes, configured, split, prefix, depth=depth + 1)
    for each in node.body:
        if not (isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)):
            continue
        field, annotation = each.target.id, ast.unparse(each.annotation)
        if field.startswith("_") or annotation.startswith("ClassVar"):
            continue
        nested = classes.get(annotation.strip("'\"").removesuffix(" | None"))
        if nested is not None and configured.delimiter and depth < DEEPEST:
            below = f"{prefix}{field}{configured.delimiter}"
            yield from _fields(nested, classes, configured, split, below, depth=depth + 1)
            continue
        for name in _names(each.value) or (f"{prefix}{field}".upper(),):
            yield _field(name, each, annotation, is_split=field in split)


def _field(name: str, line: ast.AnnAssign, annotation: str, *, is_split: bool) -> Read:
    default, is_required = _default(line.value)
    entries = texts_of(default)
    separator: Separator | None = None
    if _LIST.search(annotation):
        separator = Separator.COMMA if "NoDecode" in annotation else Separator.JSON
    elif is_split:
        separator = Separator.COMMA
    text = text_of(default)
    if separator is not None and entries is not None:
        text = joined(entries, separator)
    if text is None:
        words = re.findall(r"\w+", annotation)
        text = next((_ADDRESSES[word] for word in words if word in _ADDRESSES), None)
    return Read(name=name, line=line.lineno, default=text or "", is_required=is_required, separator=separator)


def _default(value: ast.expr | None) -> tuple[ast.expr | None, bool]:
    """Return the default of a field, and whether the field is required."""
    if value is None:
        return None, True
    if isinstance(value, ast.Call) and _last_name(value.func) == "Field":
        first = value.args[0] if value.args else None
        for each in value.keywords:
            if each.arg == "default":
                first = each.value
            elif each.arg == "default_factory":
                body = each.value.body if isinstance(each.value, ast.Lambda) else None
                return body, False
        is_missing = first is None or (isinstance(first, ast.Constant) and first.value is ...)
        return (None, True) if is_missing else (first, False)
    return value, False


def _names(value: ast.expr | None) -> tuple[str, ...]:
    """Return the variables that replace a field's own name."""
    if not (isinstance(value, ast.Call) and _last_name(value.func) == "Field"):
        return ()
    for keyword in ("validation_alias", "alias", "env"):
        for each in value.keywords:
            if each.arg != keyword:
                continue
            if isinstance(each.value, ast.Call):
                texts = [text_of(argument) for argument in each.value.args]
            else:
                texts = [*(texts_of(each.value) or []), text_of(each.value)]
            if names := tuple(text for text in texts if text):
                return names
    return ()


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
    return ""
