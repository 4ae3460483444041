"""What `[project]` says in devinit.toml, as far as it means the same in a project."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class PageUrls(StrEnum):
    """Which addresses browsers are given."""

    PORTS = "ports"
    NAMES = "names"


class PlainProjectKeys(Struct, frozen=True, kw_only=True):
    """Keys of `[project]` that are taken over as they are."""

    discovery_per_process: Annotated[
        bool,
        Meta(
            description="Also write a discovery file for each process that listens, with its pid in the "
            "name: .backend-port.4711.json. Default: false."
        ),
    ] = False
    keep_ports: Annotated[
        bool,
        Meta(
            description="Reserve its preferred ports, too, for 14 days after a stop: for a machine with many "
            "projects. Default: false."
        ),
    ] = False
    names: Annotated[
        bool,
        Meta(
            description="Also serve pages as http://SERVICE.PROJECT.localhost, by the gateway of this user (extra "
            "`gateway`); `devinit start --names` does so once. Default: false."
        ),
    ] = False
    urls: Annotated[
        PageUrls,
        Meta(
            description="Which addresses browsers are given where pages have both: `VITE_API_URL`, "
            '`FRONTEND_URL`, the first of `CORS_ORIGINS`, `devinit open`. Default: "ports".'
        ),
    ] = PageUrls.PORTS
