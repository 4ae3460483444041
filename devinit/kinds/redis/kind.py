"""Redis, or Valkey: what it is."""

from __future__ import annotations

from devinit.kinds.kind import Kind

REDIS = Kind(
    name="redis",
    keys=frozenset({"password", "binaries", "url"}),
    default_port=6379,
    url_schemes=("redis", "rediss"),
    common_prefix="REDIS",
    keeps_data=True,
    proves_itself=True,
)
