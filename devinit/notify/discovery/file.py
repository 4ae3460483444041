"""The content of a discovery file, and the rules for writing and removing it.

The file is derived and always replaced as a whole; devinit never reads it back as state. It invites connections,
so only its owner may read it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NotRequired, TypedDict

import msgspec

from devinit.errors import StateFileError
from devinit.model.service import Endpoint
from devinit.model.web_ports import without_usual_port
from devinit.system.files import read_bytes, refuse_private, write_atomically
from devinit.system.writer import is_signed_by_another, signed

PRIVATE = 0o600


class Discovery(TypedDict):
    """The content of a discovery file. Other programs read it: types and units are a contract."""

    port: int
    """8001"""
    host: str
    """"localhost", "127.0.0.1" or "::1": what to connect to, as it is in `url`."""
    url: str
    """"http://localhost:8001": scheme, host and port, without path, user or password.

    As in an origin, the default port of the scheme is left out.
    """
    timestamp: int
    """When the file was last known to be true: 1795948006, Unix time in seconds."""
    process_id: int
    """4711, the process that listens, as numbered in the writer's pid namespace."""
    writer: NotRequired[str]
    """"5f0c2a91d4 9be01c77aa": ids of the devinit that keeps the file and of the folder; opaque."""


DISCOVERY_KEYS = frozenset(("port", "host", "url", "timestamp", "process_id", "writer", "pid"))
"""The keys of a discovery file, also of earlier versions and of scripts that devinit replaces."""


FRESH_SECONDS = 30
"""An older discovery file has no supervisor that keeps it, as the guide tells readers."""
KEPT_BY_ANOTHER = "is kept by devinit with another state folder (another user, HOME or container)"


class _Author(TypedDict):
    """The part of a discovery file that identifies its owner."""

    port: int
    process_id: int
    writer: NotRequired[str]
    timestamp: NotRequired[float]


def write_discovery(
    root: Path, path: Path, endpoint: Endpoint, *, process_id: int, now: float, writer: str = ""
) -> None:
    """Write that an endpoint answers and which process listens; writing it again renews the timestamp.

    `writer` is the id of the state folder (`system.writer`). Raise StateFileError when the file cannot be written,
    is outside the checkout, is kept by a supervisor with another state folder, or is no discovery file: a
    repository can name `.env` under [discovery], of which git has no copy.
    """
    assert endpoint.port is not None  # noqa: S101 - a service without a port has nothing to discover
    scheme, host = _origin(endpoint.url or "http://localhost")
    discovery = Discovery(
        port=endpoint.port,
        host=host,
        url=without_usual_port(f"{scheme}://{f'[{host}]' if ':' in host else host}:{endpoint.port}"),
        # Rounded down, so that no reader finds a time in the future.
        timestamp=int(now),
        process_id=process_id,
    )
    if writer:
        discovery["writer"] = signed(root, writer)
    # Not flushed to disk every ten seconds: after a power failure, no service listens there.
    content = msgspec.json.encode(discovery) + b"\n"
    _require_inside(root, path)
    if not os.path.islink(path):  # noqa: PTH114 - as above; a link is refused below
        if not _may_be_replaced(path):
            raise StateFileError(
                f"{path} is no discovery file, and is left as it is",
                hint="name another file under [discovery] in devinit.toml",
            )
        if is_kept_by_another(root, path, writer, now):
            raise StateFileError(
                f"{path} {KEPT_BY_ANOTHER}",
                hint="stop the services there, or name another file under [discovery] in devinit.toml",
            )
    write_atomically(path, content, mode=PRIVATE, durable=False)


def remove_discovery(root: Path, path: Path, *, port: int, process_id: int, writer: str = "") -> bool:
    """Remove the discovery file of this process and port; return whether it was removed.

    A later run may have written its own file by now. So may a supervisor with another state folder, where port and
    pid can be the same. A file that is unreadable, or outside the checkout, is not proven to be ours.
    """
    try:
        _require_inside(root, path)
        author = _author(path)
        ours = (
            author is not None
            and (author["port"], author["process_id"]) == (port, process_id)
            and not is_signed_by_another(root, author.get("writer", ""), writer)
        )
        if ours:
            path.unlink()
    except (OSError, StateFileError):
        # A file that cannot be removed is stale for every client after 30 s.
        return False
    return ours


def is_kept_by_another(root: Path, path: Path, writer: str, now: float) -> bool:
    """Return whether a supervisor with another state folder keeps a discovery file for a service that answers now.

    Raise StateFileError when the file cannot be read.
    """
    author = _author(path)
    return (
        author is not None
        and is_signed_by_another(root, author.get("writer", ""), writer)
        and _is_fresh(author, now)
    )


def speaks_of_another(path: Path, process_id: int, now: float) -> bool:
    """Return whether a discovery file says that another process answers now.

    Raise StateFileError when the file cannot be read.
    """
    author = _author(path)
    return author is not None and author["process_id"] != process_id and _is_fresh(author, now)


def for_process(path: Path, process_id: int) -> Path:
    """Return the path of a discovery file for one process: `.backend-port.4711.json`."""
    stem, suffix = os.path.splitext(path.name)  # noqa: PTH122 - a suffix of `.backend` would be its name
    return path.with_name(f"{stem}.{process_id}{suffix}")


def remove_dead(root: Path, path: Path, *, now: float, writer: str = "") -> None:
    """Remove the files beside this one that belong to processes which have ended.

    Files in a folder outside the checkout belong to another project. Files of a supervisor with another state
    folder stay: its pids may be those of another container.
    """
    stem, suffix = os.path.splitext(path.name)  # noqa: PTH122 - as above
    try:
        _require_inside(root, path)
        names = os.listdir(path.parent)  # noqa: PTH208 - names are wanted
    except (OSError, StateFileError):
        return
    for name in names:
        middle = name.removeprefix(f"{stem}.").removesuffix(suffix)
        if name == f"{stem}.{middle}{suffix}" and middle.isascii() and middle.isdecimal():
            try:
                _remove_if_dead(root, path.with_name(name), int(middle), now=now, writer=writer)
            except (OSError, StateFileError):
                continue


def _remove_if_dead(root: Path, path: Path, process_id: int, *, now: float, writer: str) -> None:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        author = _author(path)
        if author is None or author["process_id"] != process_id:
            return
        signature = author.get("writer", "")
        if is_signed_by_another(root, signature, writer):
            return
        # Earlier versions wrote no `writer`: a fresh file stays, because its process may be in another container.
        if writer and not signature and _is_fresh(author, now):
            return
        path.unlink()


def _author(path: Path) -> _Author | None:
    """Return process, port and writer of a discovery file; None when it does not state them."""
    try:
        return msgspec.json.decode(read_bytes(path) or b"", type=_Author)
    except (msgspec.DecodeError, RecursionError):
        return None


def _is_fresh(author: _Author, now: float) -> bool:
    return abs(now - author.get("timestamp", 0.0)) <= FRESH_SECONDS


def _may_be_replaced(path: Path) -> bool:
    """Return whether a file is missing, empty (as after a power failure), or has only a discovery file's keys."""
    content = (read_bytes(path) or b"").strip(b"\0 \n")
    if not content:
        return True
    try:
        keys = msgspec.json.decode(content, type=dict[str, object]).keys()
    except (msgspec.DecodeError, RecursionError):
        return False
    return "port" in keys and keys <= DISCOVERY_KEYS and not keys.isdisjoint(("timestamp", "process_id"))


def _origin(url: str) -> tuple[str, str]:
    """Return scheme and host of a URL. Importing urllib.parse would take longer than writing the file."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    if authority.startswith("["):
        return scheme, authority[1:].partition("]")[0]
    return scheme, authority.partition(":")[0]


def _require_inside(root: Path, path: Path) -> None:
    """Raise StateFileError if a link leads the folder of a file out of the checkout.

    A cloned repository may contain a link under any name. A link under the file's own name is refused when it is
    written.
    """
    top, folder = os.path.realpath(root), os.path.realpath(path.parent)
    if os.path.commonpath((top, folder)) != top:
        raise StateFileError(
            f"{path} cannot be written: it lies in {folder}, outside of the project",
            hint="name a file in the project under [discovery] in devinit.toml",
        )
    refuse_private(path, folder, top)
