"""Find required settings of Python servers that no file provides: the server would refuse to start."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from devinit.python_code import parsed
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.ungiven import SAYING, is_said, note_of, servers_in
from devinit.sources.applications.unit import Unit

_BASE = "BaseSettings"
_GIVEN = frozenset(
    {
        *("DATABASE", "DB", "SQL", "SQLALCHEMY", "POSTGRES", "POSTGRESQL", "PG", "REDIS", "VALKEY", "CELERY"),
        *("BROKER", "URL", "URI", "DSN", "HOST", "HOSTS", "PORT", "ORIGIN", "ORIGINS", "CORS"),
    }
)
"""Words in the names of variables that devinit provides, or may provide."""
_VALUES = frozenset({"SecretStr", "SecretBytes", "EmailStr", "Path", "HttpUrl", "AnyUrl", "AnyHttpUrl"})
"""Types of single values whose names begin with a capital letter."""
_SETTINGS = re.compile(r"settings|config|base\.py\Z|local\.py\Z|dev\w{0,12}\.py\Z")
_READS = re.compile(r"decouple|environ")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SAYING = re.compile(rf"{SAYING}|\Aenv\.")


def required_settings(tree: Tree, units: Iterable[Unit]) -> Iterator[str]:
    """Yield a note for each Python server whose required settings no file provides."""
    for folder in servers_in("python", units):
        for file in tree.sources(folder, ".py"):
            text = tree.text(file)
            if _BASE not in text and not (_SETTINGS.search(file) and _READS.search(text)):
                continue
            # Classes of pydantic read the field `secret_key` from SECRET_KEY.
            words = {name: re.compile(rf"\b{name}\b", re.IGNORECASE) for name in _required_in(text)}
            missing = [name for name, word in words.items() if not is_said(tree, word, _SAYING)]
            if missing:
                yield note_of(folder, file, "requires", missing, joined(folder, ".env"))


def _required_in(text: str) -> Iterator[str]:
    """Yield the variables without a default, except addresses, from settings classes and from calls."""
    tree = parsed(text)
    if tree is None:
        return
    calls = [name for line in tree.body if not isinstance(line, _DEFINITIONS) for name in _called_in(line)]
    yield from (each for each in dict.fromkeys(calls) if not _GIVEN.intersection(each.split("_")))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(each).endswith(_BASE) for each in node.bases):
            prefix = _prefix_of(node)
            for line in node.body:
                match line:
                    case ast.AnnAssign(target=ast.Name(id=field), value=None):
                        name = f"{prefix}{field}".upper()
                        if not field.startswith("_") and not _GIVEN.intersection(name.split("_")):
                            yield from () if _is_no_value(line.annotation) else (name,)


def _called_in(line: ast.stmt) -> Iterator[str]:
    """Yield the variables that a statement requires: `config("KEY")`, `env.str("KEY")`, `os.environ["KEY"]`."""
    for node in ast.walk(line):
        match node:
            case ast.Call(
                func=ast.Name(id="config" | "env") | ast.Attribute(value=ast.Name(id="env")),
                args=[ast.Constant(value=str(name))],
                keywords=keywords,
            ) if name.isupper() and all(each.arg != "default" for each in keywords):
                yield name
            case ast.Subscript(
                value=ast.Attribute(attr="environ") | ast.Name(id="environ"),
                slice=ast.Constant(value=str(name)),
                ctx=ast.Load(),
            ):
                yield name


def _is_no_value(annotation: ast.expr) -> bool:
    """Return whether no variable sets a field: a ClassVar, or a model whose fields may all have defaults."""
    name = annotation.id if isinstance(annotation, ast.Name) else ""
    return "ClassVar" in ast.unparse(annotation) or (name[:1].isupper() and name not in _VALUES)


def _prefix_of(settings: ast.ClassDef) -> str:
    """Return the prefix of all variables of a settings class."""
    for node in ast.walk(settings):
        match node:
            case ast.keyword(arg="env_prefix", value=ast.Constant(value=str(text))):
                return text
            case ast.Assign(targets=[ast.Name(id="env_prefix")], value=ast.Constant(value=str(text))):
                return text
    return ""
