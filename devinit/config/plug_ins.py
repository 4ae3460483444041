"""Kinds of services from other packages: loading those that a file names, and checking their keys.

`common` below contains the keys that no kind declares itself (`schema.COMMON_KEYS`).
"""

from __future__ import annotations

from typing import get_args

from msgspec import structs

from devinit.config.problems import Place, choose
from devinit.errors import ConfigError
from devinit.kinds import BUILT_IN, KINDS, Kind
from devinit.kinds.plugged import KINDS_OF_PACKAGES
from devinit.plug_ins import PlugIn, plug_in_for, plug_ins


def add_kind(name: str, common: frozenset[str]) -> None:
    """Add the kind with this name to the known ones, if a package provides it.

    Raise ConfigError if it is broken, or if two packages provide it.
    """
    plug_in = plug_in_for(KINDS_OF_PACKAGES, name)
    if plug_in is not None:
        KINDS[name] = usable(plug_in, common)


def usable(plug_in: PlugIn, common: frozenset[str]) -> Kind:
    """Return the kind of a plug-in. Raise ConfigError if it is broken, or if its keys conflict with others."""
    kind = plug_in.load(Kind)
    if plug_in.name in {each.name for each in BUILT_IN}:
        raise plug_in.broken("devinit has a provider of that name itself")
    for key in sorted(kind.keys - common):
        raise plug_in.broken(f"`{key}` is not a key that kinds share")
    for field in structs.fields(kind.own):
        if field.name in common:
            raise plug_in.broken(f"it declares `{field.name}`, a key that every kind may have")
        if field.default is not None:
            raise plug_in.broken(f"its key `{field.name}` is not optional")
        for other in KINDS.values():
            if other.name != kind.name and _is_of_another_type(field, other):
                raise plug_in.broken(f"its key `{field.name}` has another type for {other.name}")
    return kind


def usable_kinds(common: frozenset[str]) -> tuple[tuple[Kind, ...], tuple[ConfigError, ...]]:
    """Return all available kinds, and the errors of plug-ins whose kinds cannot be used."""
    kinds, broken = list(BUILT_IN), []
    for plug_in in plug_ins(KINDS_OF_PACKAGES):
        try:
            kinds.append(usable(plug_in, common))
        except ConfigError as error:
            broken.append(error)
    return tuple(kinds), tuple(broken)


def refuse(name: str, place: Place) -> None:
    """Report a provider that neither devinit nor a package provides."""
    known = (*KINDS, *(each.name for each in plug_ins(KINDS_OF_PACKAGES)))
    place.add(f'there is no provider "{name}"', choose(name, known, what="providers"))


def _is_of_another_type(field: structs.FieldInfo, other: Kind) -> bool:
    """Whether a kind has a key with the same name and another type; descriptions do not count."""
    same = [each for each in structs.fields(other.own) if each.name == field.name]
    return any(_bare(each.type) != _bare(field.type) for each in same)


def _bare(annotation: object) -> object:
    """Return a type without its description, if it has one."""
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
