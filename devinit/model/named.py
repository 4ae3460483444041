"""What `status` says of names, and of services that are about to be back: all that the gateway follows."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class PagesByName(TypedDict):
    """Where the gateway serves a service, or a further port of one. A project without names has none of it."""

    name_url: NotRequired[str | None]
    """`http://backend.shop.localhost:7080`."""
    page_url: NotRequired[str | None]
    """The one of its addresses that browsers are given (`[project] urls`)."""
    hosts: NotRequired[list[str]]
    """The names under which it is served, its own first."""


class Returning(TypedDict):
    """Which services are only away for a moment."""

    returning: NotRequired[list[str]]
    """Services that are stopped to be started again. An older supervisor does not report it."""
