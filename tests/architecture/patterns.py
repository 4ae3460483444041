"""The regular expressions in the code, and texts on which each could take very long."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]  # the parser of `re` has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import devinit

PACKAGE = Path(devinit.__file__).parent
CALLS = frozenset(("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"))
EXAMPLES = {
    "alternatives": "aa|bb",
    "asked": "/health",
    "directory": Path("/shop/backend"),
    "key": "port",
    "name": "web",
    "port": 8000,
    "quote": '"',
}
"""Example values for names that only exist inside a function."""
TITLES = {
    "f'(?<!\\\\S){form": "FORM",
    "f'\"{re.escape(script)": "SCRIPT",
    "f'{USER_AGENT}": "REQUESTS",
    'f"""(?<![^': "BEFORE",
}
"""The beginnings of long patterns without a name → their titles in a list."""
MANY = 10
"""Repetitions with a higher maximum than this are pumped."""


class Found(NamedTuple):
    """A regular expression in the code."""

    module: str
    written: str
    """Its name in the module, such as `_URL`; without a name, its source text."""
    call: str
    """The function of `re` that gets it."""
    pattern: re.Pattern[Any] | None
    """None if it is not known until the code runs."""


def patterns() -> Iterator[Found]:
    """Yield each regular expression in a call of a function of `re`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if "import re\n" not in text:
            continue
        name = ".".join(("devinit", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        names = vars(importlib.import_module(name))
        tree = ast.parse(text)
        called = {
            id(node.value): node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if (call := call_of(node)) is not None:
                assert isinstance(node, ast.Call)
                written = called.get(id(node)) or ast.unparse(node.args[0])
                written = next(
                    (title for begin, title in TITLES.items() if written.startswith(begin)), written
                )
                yield Found(name, written, call, pattern_of(node, call, {**EXAMPLES, **names, "re": re}))


def call_of(node: ast.AST) -> str | None:
    """Return the name of the function of `re` that a node calls."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in CALLS:
            return name
    return None


def pattern_of(node: ast.Call, call: str, names: dict[str, Any]) -> re.Pattern[Any] | None:
    """Return the compiled pattern, if it is known without running the code."""
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(call, 2)
    given = [keyword.value for keyword in node.keywords if keyword.arg == "flags"] or node.args[
        place : place + 1
    ]
    try:
        pattern, *flags = (
            eval(compile(ast.Expression(each), "<pattern>", "eval"), names)  # noqa: S307 - our own code
            for each in (node.args[0], *given)
        )
        return re.compile(pattern, *flags)
    except NameError:
        return None


def hostile_texts(pattern: re.Pattern[Any], length: int) -> Iterator[Any]:
    """Yield texts that repeat a pattern's repetitions, and the parts before them, and end without a match."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    pumped = dict.fromkeys([("", " "), *places(list(tree), "")])
    ends = dict.fromkeys(["\x00", "\n", *excluded(list(tree))])
    for before, repeated in pumped:
        for end in ends:
            text = before + repeated * (length // len(repeated)) + end
            yield text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text


def places(items: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """Yield the text before each repetition, with a repeated text; and all the text before it, repeated."""
    for number, (kind, value) in enumerate(items):
        if kind in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
            low, high, body = value
            if high > MANY:
                yield from ((before, each) for each in (*samples(list(body)),))
                if before:
                    yield "", before
                    yield from (("", before + each) for each in samples(list(body)))
                following = sample(items[number + 1 : number + 2])
                if following:
                    yield before, following
            yield from places(list(body), before)
            before += sample(list(body)) * max(low, 1 if high > MANY else low)
        else:
            for inner in inside(kind, value):
                yield from places(inner, before)
            before += sample([(kind, value)])
    if before:
        yield "", before


def excluded(items: list[Any]) -> Iterator[str]:
    """Yield characters at which the repetitions of a pattern stop: `"` for `[^"]*`."""
    for kind, value in items:
        if kind is constants.IN and value[0][0] is constants.NEGATE:
            yield from (chr(each) for inner, each in value[1:3] if inner is constants.LITERAL)
        elif kind is constants.NOT_LITERAL:
            yield chr(value)
        elif kind in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
            yield from excluded(list(value[2]))
        for inner in inside(kind, value):
            yield from excluded(inner)


def inside(kind: Any, value: Any) -> Iterator[list[Any]]:
    """Yield the sequences inside a part of a pattern."""
    if kind is constants.SUBPATTERN:
        yield list(value[3])
    elif kind is constants.ATOMIC_GROUP:
        yield list(value)
    elif kind in {constants.ASSERT, constants.ASSERT_NOT}:
        yield list(value[1])
    elif kind is constants.BRANCH:
        yield from (list(each) for each in value[1])


def samples(items: list[Any]) -> Iterator[str]:
    """Yield texts that a sequence matches: one for each of its branches, and for the usual characters of a set."""
    if len(items) == 1:
        kind, value = items[0]
        if kind in {constants.IN, constants.ANY, constants.NOT_LITERAL, constants.CATEGORY}:
            yield from characters(kind, value)
            return
        for inner in inside(kind, value):
            yield from samples(inner)
        if kind in {constants.BRANCH, constants.SUBPATTERN, constants.ATOMIC_GROUP}:
            return
    if text := sample(items):
        yield text


def characters(kind: Any, value: Any) -> list[str]:
    """Return characters in a set, one of each sort."""
    expression = re.compile(class_of(kind, value), re.DOTALL)
    return [each for each in "aA0 \t\n_-./:'\"=[({<\u2500#@%$;,\\}])>" if expression.fullmatch(each)]


def class_of(kind: Any, value: Any) -> str:
    """Return the source text of a set."""
    if kind is constants.ANY:
        return "[^\n]"
    if kind is constants.NOT_LITERAL:
        return f"[^{re.escape(chr(value))}]"
    if kind is constants.CATEGORY:
        return CATEGORIES[value]
    written = ""
    for inner, each in value:
        if inner is constants.NEGATE:
            written += "^"
        elif inner is constants.LITERAL:
            written += re.escape(chr(each))
        elif inner is constants.RANGE:
            written += f"{re.escape(chr(each[0]))}-{re.escape(chr(each[1]))}"
        elif inner is constants.CATEGORY:
            written += CATEGORIES[each]
    return f"[{written}]"


CATEGORIES = {
    constants.CATEGORY_DIGIT: r"\d",
    constants.CATEGORY_NOT_DIGIT: r"\D",
    constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S",
    constants.CATEGORY_WORD: r"\w",
    constants.CATEGORY_NOT_WORD: r"\W",
}


def sample(items: list[Any]) -> str:
    """Return one text that a sequence matches, as far as that is simple."""
    text = ""
    for kind, value in items:
        if kind is constants.LITERAL:
            text += chr(value)
        elif kind in {constants.IN, constants.ANY, constants.NOT_LITERAL, constants.CATEGORY}:
            text += next(iter(characters(kind, value)), "")
        elif kind in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
            text += sample(list(value[2])) * value[0]
        elif kind is constants.BRANCH:
            text += sample(list(value[1][0]))
        elif kind in {constants.SUBPATTERN, constants.ATOMIC_GROUP}:
            text += sample(list(value[3] if kind is constants.SUBPATTERN else value))
    return text
