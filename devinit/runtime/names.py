"""Names for pages: `http://backend.shop.localhost:7080` beside `http://localhost:8000`. Pure.

A name has two labels before `.localhost`, so that browsers treat each project as one site: its pages and APIs
share cookies, but different projects do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from devinit.kinds import kind_of
from devinit.model.service import Endpoint, Project
from devinit.model.web_ports import without_usual_port
from devinit.runtime.roles import frontends_of

LONGEST_LABEL = 63
"""Characters of one label of a domain name."""
_DIGEST = 6
TOP = "localhost"
GATEWAYS_OWN = "devinit"
"""`devinit.localhost` is the page of the gateway itself."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class Naming(Struct, frozen=True, kw_only=True):
    """The common parts of all names of one project."""

    label: str
    """The project's label, unique among the checkouts of this user."""
    port: int
    """The gateway's port."""


def label_of(text: str) -> str:
    """Convert a text to a label of a domain name; a long one is cut, and gets a digest of the whole text."""
    label = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "project"
    if len(label) <= LONGEST_LABEL:
        return label
    digest = blake2b(text.encode(errors="replace"), digest_size=_DIGEST // 2).hexdigest()
    return f"{label[: LONGEST_LABEL - _DIGEST - 1].rstrip('-')}-{digest}"


def free_label(wanted: str, taken: Iterable[str]) -> str:
    """Return the first of `shop`, `shop-2`, `shop-3` that no other checkout has."""
    others, label, number = {GATEWAYS_OWN, *taken}, label_of(wanted), 1
    while label in others:
        number += 1
        label = label_of(f"{wanted}-{number}")
        if not label.endswith(f"-{number}"):  # the number was cut off
            label = label_of(f"{number}-{wanted}")
    return label


def named(project: Project, endpoints: Mapping[str, Endpoint], naming: Naming) -> dict[str, Endpoint]:
    """Return the endpoints of a project, with names added to those that have pages on this machine."""
    main = _main_of(project, endpoints)
    found, used = dict(endpoints), {label_of(name) for name in project.services}
    for service in project.services.values():
        if not kind_of(service).has_pages:
            continue
        for name in (service.name, *(each.service for each in service.extra_ports)):
            endpoint, label = endpoints.get(name), label_of(name)
            if endpoint is None or not _is_served(endpoint) or (name != service.name and label in used):
                continue
            used.add(label)
            hosts = [f"{label}.{naming.label}.{TOP}"]
            if name == main:
                hosts.append(f"{naming.label}.{TOP}")
            found[name] = _with_names(endpoint, hosts, naming.port)
    return found


def _with_names(endpoint: Endpoint, hosts: list[str], port: int) -> Endpoint:
    origins = tuple(without_usual_port(f"http://{host}:{port}") for host in hosts)
    _, _, path = (endpoint.url or "").partition("://")[2].partition("/")
    return replace(
        endpoint,
        hosts=tuple(hosts),
        name_url=f"{origins[0]}/{path}" if path else origins[0],
        name_origins=origins,
    )


def _is_served(endpoint: Endpoint) -> bool:
    url = endpoint.url or ""
    return (
        endpoint.port is not None and url.startswith(("http://", "https://")) and endpoint.host in _LOOPBACK
    )


def _main_of(project: Project, endpoints: Mapping[str, Endpoint]) -> str | None:
    """Return the service of `PROJECT.localhost`: the first frontend, or else the first one with pages."""
    with_pages = [each for each in project.services.values() if kind_of(each).has_pages]
    candidates = [each.name for each in (*frontends_of(project), *with_pages)]
    return next((name for name in candidates if name in endpoints and _is_served(endpoints[name])), None)
