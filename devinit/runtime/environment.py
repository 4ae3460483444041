"""The runtime environment: the names that the applications get, and their values.

It depends only on the project and its endpoints, and is complete before the first service starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from devinit.errors import ConfigError
from devinit.model.names import variable_prefix
from devinit.model.project_keys import PageUrls
from devinit.model.service import Endpoint, Project, Service
from devinit.model.web_ports import without_usual_port
from devinit.runtime.common import (
    URLS,
    all_client_names,
    client_names,
    client_names_for,
    common_names,
    first_database,
    first_of_each,
)
from devinit.runtime.cors import origins
from devinit.runtime.roles import backend_of, frontends_of
from devinit.runtime.templates import expand_together

if TYPE_CHECKING:
    from devinit.runtime.forms.statement import Decision

OWN_NAMES = frozenset({"PORT", "HOST"})
"""Each service has its own values, so an environment that several services share contains neither."""
COMMAND_PREFIX = "DEVINIT_"
"""Prefix of variables that control the devinit command (DEVINIT_PROFILE); the programs that
it starts do not get them."""


def environment(
    project: Project, endpoints: Mapping[str, Endpoint], *, base: Mapping[str, str]
) -> dict[str, str]:
    """Return the runtime environment in the order of the file; `[environment]` may also refer to `base`."""
    _refuse_shared_names(project)
    names = names_by_itself(project, endpoints)
    outer = {name: value for name, value in base.items() if name not in OWN_NAMES} | names
    without = names.keys() & {*project.left_out}
    stated = {name: value for name, value in project.environment.items() if name not in without}
    kept = {name: value for name, value in names.items() if name not in without}
    return kept | expand_together(stated, outer, key="environment")


def names_by_itself(project: Project, endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """Return the names that devinit gives to all services of a project, regardless of `[environment]`."""
    names = {"DEVINIT_PROJECT": str(project.root)}
    firsts = first_of_each(project)
    for service in project.services.values():
        is_first = firsts[service.provider] is service
        names |= _service_names(project, service, endpoints, given=names, is_first=is_first)
    names |= _browser_names(project, endpoints)
    return names | _port_aliases(project, endpoints, given=names)


def runtime_of(
    project: Project, endpoints: Mapping[str, Endpoint], service: Service, runtime: Mapping[str, str]
) -> dict[str, str]:
    """Return the runtime environment of one service, with the PG… names of the database that it uses.

    A service without a database gets no such names: it may use them for a server elsewhere.
    """
    own, all_names = client_names_for(project, endpoints, service), all_client_names()
    stated = project.environment.keys()
    # A copy, not a filter: the environment contains the addresses of all services, and this runs for each service.
    kept = {**runtime}
    for name in all_names:
        if name not in stated:
            kept.pop(name, None)
    return kept | {name: value for name, value in own.items() if name not in stated}


def service_environment(
    service: Service,
    endpoint: Endpoint | None,
    runtime: Mapping[str, str],
    *,
    caller: Mapping[str, str],
    files: Mapping[str, str],
    decided: Mapping[str, Decision] = MappingProxyType({}),
    by_itself: Collection[str] = (),
    misleading: Collection[str] = (),
) -> dict[str, str]:
    """Return the whole environment of a service's process; a later source wins over an earlier one.

    The sources in their order: the caller's environment, `.env` files, the runtime environment, PORT, HOST and the
    port's aliases, and the service's own `env`, which may refer to all of them. `decided`: decisions about names
    to which the project itself gives a value; they replace the value of the runtime environment. `by_itself`:
    devinit's own names, which the service may leave out. `misleading`: names that are not inherited from the
    caller (`common.misleading_names`).
    """
    # A PORT in the caller's environment belongs to another program, also when this service has no port.
    inherited = {
        name: value
        for name, value in caller.items()
        if name != "PORT" and not name.startswith(COMMAND_PREFIX) and name not in misleading
    }
    given = in_own_forms(runtime, decided) if decided else runtime
    ours = {**given, **_own_names(service, endpoint)}
    known = {**inherited, **files, **ours}
    without = {name for name in service.left_out if name in by_itself or name in OWN_NAMES}
    stated = {name: value for name, value in service.env.items() if name not in without}
    expanded = expand_together(stated, known, key=f"services.{service.name}.env")
    if not without:
        return known | expanded
    kept = {name: value for name, value in ours.items() if name not in without}
    return {**inherited, **files, **kept} | expanded


def in_own_forms(runtime: Mapping[str, str], decided: Mapping[str, Decision]) -> dict[str, str]:
    """Return a runtime environment in which decided names have the project's own form.

    Names whose value the project keeps are left out. pydantic reads `database_url` and `DATABASE_URL` as one name.
    """
    meant = {*decided, *(name.upper() for name in decided)}
    kept = {name: value for name, value in runtime.items() if name not in meant}
    given = {name: each.value for name, each in decided.items() if each.is_given}
    both = {name.upper(): value for name, value in given.items() if name.upper() in runtime}
    return kept | both | given


def _refuse_shared_names(project: Project) -> None:
    first: dict[str, str] = {}
    for name in project.services:
        prefix = variable_prefix(name)
        if other := first.get(prefix):
            raise ConfigError(
                f"services.{name}: {prefix}_PORT would be the port of both {other!r} and {name!r}",
                hint="rename one of them",
            )
        first[prefix] = name


def _service_names(
    project: Project,
    service: Service,
    endpoints: Mapping[str, Endpoint],
    *,
    given: Mapping[str, str],
    is_first: bool,
) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in (service.name, *(request.service for request in service.extra_ports)):
        if endpoint := endpoints.get(name):
            names |= _address_names(endpoint, variable_prefix(name))
    if endpoint := endpoints.get(service.name):
        # A second database must not take DATABASE_URL away from the first, nor the tests of the first.
        has_urls = is_first and service is first_database(project)
        names |= {
            name: value
            for name, value in endpoint.variables.items()
            if name not in given and (has_urls or name not in URLS)
        }
        if is_first:
            names |= common_names(project, service, endpoint) | client_names(service, endpoint)
    return names


def _address_names(endpoint: Endpoint, prefix: str) -> dict[str, str]:
    names: dict[str, str] = {}
    if endpoint.port is not None or endpoint.url is not None:
        names[f"{prefix}_HOST"] = endpoint.host
    if endpoint.port is not None:
        names[f"{prefix}_PORT"] = str(endpoint.port)
    if endpoint.url is not None:
        names[f"{prefix}_URL"] = without_usual_port(endpoint.url)
    if endpoint.name_url is not None:
        names[f"{prefix}_NAME_URL"] = endpoint.name_url
    return names


def _browser_names(project: Project, endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    names: dict[str, str] = {}
    backend = backend_of(project)
    endpoint = endpoints.get(backend.name) if backend else None
    by_name = project.urls is PageUrls.NAMES
    if endpoint and (url := page_url(project, endpoint)) is not None:
        names |= {"NEXT_PUBLIC_API_URL": url, "VITE_API_URL": url}
    frontends = [endpoints[service.name] for service in frontends_of(project) if service.name in endpoints]
    if by_name:
        # A frontend's address is for browsers only; that of a backend is for servers, too, which know no names.
        names |= {
            f"{variable_prefix(each.service)}_URL": each.name_url
            for each in frontends
            if each.name_url is not None
        }
    allowed = origins(frontends, names_first=by_name)
    # Without a frontend the names are left out: an empty list is no valid JSON setting, and it would replace the
    # backend's own default.
    if allowed:
        names["CORS_ORIGINS"] = names["ALLOWED_ORIGINS"] = ",".join(allowed)
        names["CORS_ORIGINS_JSON"] = msgspec.json.encode(allowed).decode()
    return names


def page_url(project: Project, endpoint: Endpoint) -> str | None:
    """Return the address of a service that browsers of this project are given."""
    if project.urls is PageUrls.NAMES and endpoint.name_url is not None:
        return endpoint.name_url
    return None if endpoint.url is None else without_usual_port(endpoint.url)


def _port_aliases(
    project: Project, endpoints: Mapping[str, Endpoint], *, given: Mapping[str, str]
) -> dict[str, str]:
    return {
        alias: str(endpoint.port)
        for name in project.services
        if (endpoint := endpoints.get(name)) and endpoint.port is not None
        for alias in endpoint.aliases
        if alias not in given and alias not in OWN_NAMES
    }


def _own_names(service: Service, endpoint: Endpoint | None) -> dict[str, str]:
    if endpoint is None or endpoint.port is None:
        return {}
    port = str(endpoint.port)
    return {"HOST": service.host, "PORT": port} | dict.fromkeys(endpoint.aliases, port)
