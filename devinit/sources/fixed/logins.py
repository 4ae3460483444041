"""Give databases the login that is a constant in the code, because no variable can replace it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.service import Service
from devinit.sources.fixed.constant import Constant, Direction
from devinit.sources.servers import settings_of
from devinit.sources.source import Found

_CONNECTION = "ConnectionStrings__"
_ABOUT = ("user", "password", "database")


def told_nowhere(found: Found, constants: Iterable[Constant]) -> list[Constant]:
    """Return the constants that become wrong when a server moves, one per server, and those that name containers.

    The rest follow the server: Ecto reads PGPORT by itself, and devinit may give ASP.NET its connection string.
    """
    is_given = any(name.startswith(_CONNECTION) for each in found.services.values() for name in each.env)
    kept: dict[object, Constant] = {}
    for each in constants:
        file = each.evidence.file.rpartition("/")[2]
        is_told = file.endswith(".exs") or (is_given and file.startswith("appsettings"))
        if each.host:
            kept[each] = each
        elif not is_told:
            kept.setdefault((each.kind, each.port), each)
    return list(kept.values())


def with_logins(found: Found, constants: Iterable[Constant], root: Path) -> Found:
    """Return the result with the role, the password and the database that the code uses for each server.

    A login in another file has priority; a note names a constant that differs from it.
    """
    stored = [each for each in constants if each.direction is Direction.STORES and not each.host]
    services, evidence, notes = dict(found.services), dict(found.evidence), list(found.notes)
    for service in found.services.values():
        named = [each for each in stored if each.kind == service.provider and _keys(each)]
        if not named or not _states_a_role(service):
            continue
        lines = evidence.get(service.name, ())
        if stated := [each for each in lines if each.about in _ABOUT]:
            if not any(_agrees(each, service) for each in named):
                notes.append(_differs(named[0], service, stated[0]))
            continue
        services[service.name] = changed = _with_login(service, named[0], lines, root)
        said = [structs.replace(named[0].evidence, about=about) for about in _keys(named[0])]
        if changed.port != service.port:
            said.append(structs.replace(named[0].evidence, about="port"))
        evidence[service.name] = (*lines, *said)
    return structs.replace(found, services=services, evidence=evidence, notes=tuple(notes))


def _states_a_role(service: Service) -> bool:
    return {"user", "database"} <= set(kind_of(service).own.__struct_fields__)


def _keys(constant: Constant) -> dict[str, Any]:
    """Return the login of a constant as keys of devinit.toml (Any: texts)."""
    login = constant.login
    stated = {"user": login.user, "password": login.password, "database": login.database}
    return {key: value for key, value in stated.items() if value}


def _agrees(constant: Constant, service: Service) -> bool:
    """Return whether a server accepts the login of a constant; settings that no file states do not count."""
    return all(
        getattr(service.settings, key, value) in (value, None) for key, value in _keys(constant).items()
    )


def _with_login(service: Service, constant: Constant, lines: tuple[Evidence, ...], root: Path) -> Service:
    try:
        settings = settings_of(kind_of(service), _keys(constant), root)
    except ValueError:
        return service  # not a valid name for a role
    port = service.port
    if (
        port is not None
        and constant.port != port.preferred
        and not any(each.about == "port" for each in lines)
    ):
        port = preferring(service.name, constant.port, browser=kind_of(service).has_pages)
    return structs.replace(service, settings=settings, port=port)


def _differs(constant: Constant, service: Service, stated: Evidence) -> str:
    login = constant.login
    who = f"as {login.user}" if login.user else "without a role"
    where = f" to {login.database}" if login.database else ""
    return (
        f"{constant.evidence.place} logs in {who}{where}, and {service.name} has the role, the password and the "
        f"database of {stated.place}; the same in both lets it in"
    )
