"""Fields of a status that the gateway follows: names of services, and services that are about to return."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class PagesByName(TypedDict):
    """Addresses by name of a service or an extra port; empty in a project without names."""

    name_url: NotRequired[str | None]
    """`http://backend.shop.localhost:7080`."""
    page_url: NotRequired[str | None]
    """The address for browsers (`[project] urls`)."""
    hosts: NotRequired[list[str]]
    """Host names under which it is served, its own first."""


class Returning(TypedDict):
    """Services that are stopped only for a restart."""

    returning: NotRequired[list[str]]
    """Names of the services. An older supervisor does not report them."""
