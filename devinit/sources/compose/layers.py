"""The merging of compose layers: an override over its base, a service over the one that it extends. Pure."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping

from devinit.sources.yaml_nodes import Mapping, Node, Place, Scalar, Sequence, listed

_REPLACED = frozenset({"command", "entrypoint", "test"})
"""Keys whose lists are replaced as a whole."""
_BY_NAME = frozenset({"environment", "args", "labels", "annotations"})
"""Keys with lists of `NAME=VALUE`, which may also be written as mappings."""
_RESET, _OVERRIDE = "!reset", "!override"


def overlaid(base: Node, over: Node, key: str = "") -> Node:
    """Return the merged value of a key in two layers."""
    base, over = normal(base, key), normal(over, key)
    if over.tag == _OVERRIDE or key in _REPLACED:
        return over
    match base, over:
        case Mapping(), Mapping():
            return _united(base, over)
        case Sequence(), Sequence():
            return Sequence((*base.items, *over.items), over.at)
        case _, Scalar(text=None):
            return base
    return over


def _united(base: Mapping, over: Mapping) -> Mapping:
    items, keys = dict(base.items), dict(base.keys)
    for key, value in over.items.items():
        if value.tag == _RESET:
            items.pop(key, None)
            keys.pop(key, None)
            continue
        items[key] = overlaid(items[key], value, key) if key in items else normal(value, key)
        keys[key] = over.keys[key]
    return Mapping(items, keys, over.at)


def normal(node: Node, key: str) -> Node:
    """Return a value in its long form, where compose also permits a short one."""
    match key, node:
        case "build", Scalar(text=str()):
            return _mapping({"context": node}, node.at)
        case "depends_on" | "networks", Sequence():
            return _mapping({each.text or "": Scalar(None, each.at) for each in listed(node)}, node.at)
        case "env_file" | "profiles", Scalar(text=str()):
            return Sequence((node,), node.at)
        case _, Sequence() if key in _BY_NAME:
            return _mapping(dict(map(_named, listed(node))), node.at)
    return node


def _named(item: Scalar) -> tuple[str, Node]:
    name, sign, value = (item.text or "").partition("=")
    return name, Scalar(value if sign else None, item.at)


def _mapping(items: AnyMapping[str, Node], at: Place) -> Mapping:
    return Mapping({**items}, {name: value.at for name, value in items.items()}, at)
