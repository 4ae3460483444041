"""Which functions and classes of a project make applications, and which names are made by them. Pure.

A factory may stand in another file, hand the work on to a further function, or be a method of a class.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from msgspec import Struct, field

from devinit.sources.applications.python_source import (
    Made,
    Reading,
    callable_without_arguments,
    framework_named,
    framework_of,
    full_name,
)

FACTORIES = frozenset(
    {
        "create_app",
        "make_app",
        "build_app",
        "get_app",
        "create_application",
        "get_application",
        "init_app",
        "app_factory",
    }
    | {"create_api", "build_application", "make_application"}
)
_ROUNDS = 4
"""Limit of functions that call one another."""


class Makers(Struct):
    """Functions, classes and methods that create an application."""

    functions: dict[str, str] = field(default_factory=dict)
    """Function, or subclass of a framework's class → framework."""
    methods: dict[tuple[str, str], str] = field(default_factory=dict)
    """Class, and method or attribute → framework."""


def complete(readings: Mapping[str, Reading]) -> None:
    """Complete the readings with names whose factories are in any of the files."""
    makers = makers_of(readings)
    for reading in readings.values():
        _add_factories(reading, makers)
        _add_made(reading, makers)
        _add_around(reading)
    for file, reading in readings.items():
        _add_run(file, reading, readings)


def names_of(makers: Makers) -> set[str]:
    """Return the names of functions and classes that create applications."""
    return {*makers.functions, *(owner for owner, _ in makers.methods)}


def makers_of(readings: Mapping[str, Reading]) -> Makers:
    """Return the functions, classes and methods of a project that create applications."""
    makers = Makers()
    for _ in range(_ROUNDS):
        before = len(makers.functions) + len(makers.methods)
        for reading in readings.values():
            for function in reading.functions:
                if framework := _returned(function, reading, makers):
                    makers.functions.setdefault(function.name, framework)
            for each in reading.classes:
                _read_class(each, reading, makers)
        if len(makers.functions) + len(makers.methods) == before:
            break
    return makers


def _read_class(node: ast.ClassDef, reading: Reading, makers: Makers) -> None:
    for base in node.bases:
        if framework := framework_named(base, reading) or makers.functions.get(
            full_name(base, reading).rpartition(".")[2], ""
        ):
            makers.functions.setdefault(node.name, framework)
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        if framework := _returned(method, reading, makers):
            makers.methods.setdefault((node.name, method.name), framework)
        for inner in ast.walk(method):
            match inner:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                    if framework := _framework(value, reading, makers):
                        makers.methods.setdefault((node.name, name), framework)


def _returned(function: ast.FunctionDef, reading: Reading, makers: Makers) -> str:
    """Return the framework of the application that a function returns; "" without one."""
    if function.returns is not None and (framework := framework_named(function.returns, reading)):
        return framework
    local: dict[str, str] = {}
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if framework := _framework(value, reading, makers):
                    local[name] = framework
    for node in ast.walk(function):
        match node:
            case ast.Return(value=ast.Name(id=name)) if name in local:
                return local[name]
            case ast.Return(value=ast.expr() as value):
                if framework := _framework(value, reading, makers):
                    return framework
    return ""


def _framework(value: ast.expr, reading: Reading, makers: Makers) -> str:
    """Return the framework of the application that an expression creates; "" without one."""
    if framework := framework_of(value, reading):
        return framework
    match value:
        case (
            ast.Call(func=ast.Attribute(value=ast.Call(func=of), attr=name))
            | ast.Attribute(value=ast.Call(func=of), attr=name)
        ):
            return makers.methods.get((_last(of, reading), name), "")
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
            owner,
            name,
        ) in makers.methods:
            return makers.methods[owner, name]
        case ast.Call(func=function):
            return makers.functions.get(_last(function, reading), "")
    return ""


def _last(value: ast.expr, reading: Reading) -> str:
    return full_name(value, reading).rpartition(".")[2]


def _add_factories(reading: Reading, makers: Makers) -> None:
    for function in reading.functions:
        framework = makers.functions.get(function.name)
        is_meant = function.name in FACTORIES or (
            function.returns is not None and bool(framework_named(function.returns, reading))
        )
        if framework and is_meant and callable_without_arguments(function):
            reading.made.append(Made(function.name, framework, function.lineno, is_factory=True))


def _add_made(reading: Reading, makers: Makers) -> None:
    """Add `app = create_app()`, `app = Builder().build()` and `builder = Builder(); app = builder.build()`."""
    classes = {owner for owner, _ in makers.methods}
    instances: dict[str, str] = {}
    for name, value, line in reading.pending:
        if isinstance(value, ast.Call) and _last(value.func, reading) in classes:
            instances[name] = _last(value.func, reading)
        framework = _framework(value, reading, makers)
        if not framework:
            target = value.func if isinstance(value, ast.Call) else value
            match target:
                case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if owner in instances:
                    framework = makers.methods.get((instances[owner], attribute), "")
        if framework:
            reading.made.append(Made(name, framework, line))


def _add_around(reading: Reading) -> None:
    """Add wrappers of an application (`ASGIApp(sio, app)`) and further names for one."""
    for name, value, line in reading.pending:
        known = {each.name: each for each in reading.made}
        match value:
            case ast.Name(id=other) if other in known and name not in known:
                reading.made.append(Made(name, known[other].framework, line, rank=1))
            case ast.Call(func=function, args=args, keywords=keywords):
                last = _last(function, reading)
                inner = [*args, *(each.value for each in keywords)]
                of = next(
                    (known[each.id] for each in inner if isinstance(each, ast.Name) and each.id in known),
                    None,
                )
                if of is not None and (last == "ASGIApp" or last.endswith("Middleware")):
                    reading.made.append(Made(name, of.framework, line, rank=-1))


def _add_run(file: str, reading: Reading, readings: Mapping[str, Reading]) -> None:
    """Add imported applications that a file runs: the code of that file may add routes to them."""
    known = {each.name for each in reading.made}
    for name, line in reading.run.items():
        module, _, original = reading.imports[name].rpartition(".")
        for other in _files_of(module, file.rpartition("/")[0]):
            source = readings.get(other)
            made = next((each for each in source.made if each.name == original), None) if source else None
            if (
                made is not None
                and not made.is_factory
                and not made.of
                and name not in known
                and other != file
            ):
                reading.made.append(Made(name, made.framework, line, rank=-1, of=other))
                break


def _files_of(module: str, folder: str) -> tuple[str, ...]:
    """Return the possible files of a module that a file in a folder imports."""
    if module.startswith(".."):
        return ()  # not a program: a file that imports from a parent package is part of a package
    path = "/".join(filter(None, (folder, module.lstrip(".").replace(".", "/"))))
    return (f"{path}.py", f"{path}/__init__.py")
