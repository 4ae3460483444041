"""PostgreSQL: what it is."""

from __future__ import annotations

from devinit.kinds.kind import Kind

POSTGRES = Kind(
    name="postgres",
    keys=frozenset({"database", "databases", "user", "password", "binaries", "url"}),
    default_port=5432,
    url_schemes=("postgresql", "postgres"),
    common_prefix="POSTGRES",
    keeps_data=True,
    proves_itself=True,
)
