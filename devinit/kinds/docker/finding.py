"""The socket of the engine that the user's own `docker` would use, and the error when no engine answers."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devinit.errors import ProviderError
from devinit.kinds.docker.engine import EngineAway, Refused
from devinit.system.files import LARGEST_SETTINGS, read_text

USUAL = "/var/run/docker.sock"
DESKTOPS = (".docker/run/docker.sock", ".docker/desktop/docker.sock", ".orbstack/run/docker.sock",
            ".colima/default/docker.sock", ".rd/docker.sock")  # fmt: skip
"""Docker Desktop, OrbStack, Colima, Rancher Desktop; below the home directory."""


def socket_of(environ: Mapping[str, str]) -> str:
    """Return the path of the engine's socket. Raise ProviderError for an engine without one on this machine."""
    address = environ.get("DOCKER_HOST") or _of_context(environ) or environ.get("CONTAINER_HOST") or ""
    if address:
        if not address.startswith("unix://"):
            raise ProviderError(
                f"the container engine at {address} is on another machine or has no socket here",
                hint="devinit runs containers on this machine alone: unset DOCKER_HOST, or let it name a socket, "
                f"as unix://{USUAL}",
            )
        return address.removeprefix("unix://")
    home, runtime = environ.get("HOME"), environ.get("XDG_RUNTIME_DIR")
    places = (
        USUAL,
        *((f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock") if runtime else ()),
        *(f"{home}/{below}" for below in DESKTOPS if home),
        "/run/podman/podman.sock",
    )
    return next((each for each in places if Path(each).exists()), USUAL)


def in_words(error: EngineAway) -> ProviderError:
    """Return the error for an engine that does not answer, with the remedy."""
    match error.number:
        case errno.ENOENT:
            return ProviderError(
                f"no container engine runs here: {error.path} does not exist",
                hint="install Docker or Podman, or start it (`sudo systemctl start docker`); DOCKER_HOST names "
                "another socket",
            )
        case errno.ECONNREFUSED:
            return ProviderError(
                f"the container engine of {error.path} does not run",
                hint="start it: `sudo systemctl start docker`, or Docker Desktop",
            )
        case errno.EACCES | errno.EPERM:
            return ProviderError(
                f"this user may not ask the container engine at {error.path}",
                hint="`sudo usermod -aG docker $USER` and a new login let it, which is as much as root; rootless "
                "Docker and Podman need neither",
            )
    return ProviderError(
        f"the container engine at {error.path} does not answer", hint="`docker info` shows whether it runs"
    )


def refused(what: str, error: Refused) -> ProviderError:
    """Return the error for a request that the engine refuses."""
    return ProviderError(f"{what}: {error.words}")


def _of_context(environ: Mapping[str, str]) -> str:
    """Return the address of the context that `docker context use` has chosen; "" for the default one."""
    home = environ.get("HOME")
    folder = Path(environ.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "/nonexistent"))
    name = environ.get("DOCKER_CONTEXT") or _json(folder / "config.json").get("currentContext")
    if not isinstance(name, str) or name in ("", "default"):
        return ""
    from hashlib import sha256  # loads OpenSSL, and few users have contexts

    meta = _json(folder / "contexts" / "meta" / sha256(name.encode()).hexdigest() / "meta.json")
    try:
        return str(meta["Endpoints"]["docker"]["Host"])
    except (KeyError, TypeError):
        return ""


def _json(path: Path) -> dict[str, Any]:
    import msgspec  # for a file of another program, which few users have

    try:
        found = msgspec.json.decode(read_text(path, most=LARGEST_SETTINGS) or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
