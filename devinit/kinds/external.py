"""A server that devinit does not run, given by its URL: it is used, but never started, changed or stopped."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from msgspec import Struct

from devinit.errors import ConfigError
from devinit.kinds import KINDS
from devinit.model.web_ports import WEB_PORTS


class Address(Struct, frozen=True, kw_only=True):
    """The parts of a URL, decoded."""

    origin: str
    """Scheme, host and port, without user and path."""
    host: str
    port: int
    user: str
    password: str
    path: str
    """Without the leading slash: a database's name."""


def address_of(url: str, service: str) -> Address:
    """Return the parts of an external server's URL; the driver in `postgresql+asyncpg` is ignored."""
    try:
        parts = urlsplit(url)
        port = parts.port or _usual_port(parts.scheme.partition("+")[0])
    except ValueError as error:
        raise _refused(service, str(error)) from error
    if not parts.hostname:
        raise _refused(service, "it names no host")
    if port is None:
        raise _refused(service, "it names no port")
    return Address(
        origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=unquote(parts.path.lstrip("/")),
    )


def _usual_port(scheme: str) -> int | None:
    ports = (kind.default_port for kind in KINDS.values() if scheme in kind.url_schemes)
    return WEB_PORTS.get(scheme) or next(ports, None)


def _refused(service: str, reason: str) -> ConfigError:
    # The URL itself is not repeated, because it may contain a password.
    return ConfigError(
        f"services.{service}.url cannot be used: {reason}",
        hint='write it in full: "postgresql://user:password@host:5432/database", "redis://host:6379/0"',
    )
