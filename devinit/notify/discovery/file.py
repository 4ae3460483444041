"""The text of a discovery file, and the rules for writing and removing one.

It is derived and replaced whole; nothing of ours reads it back as state. It invites connections, so only its owner
may read it.
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
    """What a discovery file says about its service. Other programs read it: types and units are a contract."""

    port: int
    """8001"""
    host: str
    """"localhost", "127.0.0.1" or "::1": what to connect to, as it is in `url`."""
    url: str
    """"http://localhost:8001": scheme, host and port, without a path, a user or a password. The port is left out
    where the scheme has it anyway, as an origin is written."""
    timestamp: int
    """When the file was last known to be true: 1795948006, Unix time in seconds."""
    process_id: int
    """4711, the process that listens, in the pid namespace of the writer."""
    writer: NotRequired[str]
    """"5f0c2a91d4 9be01c77aa": an id of the devinit that keeps the file, and one of the folder; opaque."""


DISCOVERY_KEYS = frozenset(("port", "host", "url", "timestamp", "process_id", "writer", "pid"))
"""The keys of a discovery file, also of earlier versions and of scripts that devinit replaces."""


FRESH_SECONDS = 30
"""A discovery file that is older than this has no supervisor that keeps it: what the guide tells its readers."""
KEPT_BY_ANOTHER = "is kept by devinit with another state folder (another user, HOME or container)"


class _Author(TypedDict):
    """Whose file it is."""

    port: int
    process_id: int
    writer: NotRequired[str]
    timestamp: NotRequired[float]


def write_discovery(
    root: Path, path: Path, endpoint: Endpoint, *, process_id: int, now: float, writer: str = ""
) -> None:
    """Say that the endpoint answers and which process listens; written again it says: still so.

    `writer`: the id of the state folder (system.writer).

    Raise StateFileError when the file cannot be written, does not lie in the checkout, is kept by a supervisor
    with another state folder, or is another one: a repository can name `.env` under [discovery], of which git has
    no copy.
    """
    assert endpoint.port is not None  # noqa: S101 - a service without a port has nothing to discover
    scheme, host = _origin(endpoint.url or "http://localhost")
    discovery = Discovery(
        port=endpoint.port,
        host=host,
        url=without_usual_port(f"{scheme}://{f'[{host}]' if ':' in host else host}:{endpoint.port}"),
        # Rounded down: no reader finds a moment in the future.
        timestamp=int(now),
        process_id=process_id,
    )
    if writer:
        discovery["writer"] = signed(root, writer)
    # Not flushed to the disk, every ten seconds: after a power cut no service listens there.
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
    """Remove a discovery file that speaks of this process on this port, and return whether it did.

    A later run may have written its own by now, and so may a supervisor with another state folder, where port and
    pid can be the same. A file that cannot be read, or does not lie in the checkout, is not proven to be ours.
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
        # What cannot be removed is stale in 30 s for every client.
        return False
    return ours


def is_kept_by_another(root: Path, path: Path, writer: str, now: float) -> bool:
    """Whether a supervisor with another state folder says in a discovery file that its service answers now.

    Raise StateFileError where the file cannot be read.
    """
    author = _author(path)
    return (
        author is not None
        and is_signed_by_another(root, author.get("writer", ""), writer)
        and _is_fresh(author, now)
    )


def speaks_of_another(path: Path, process_id: int, now: float) -> bool:
    """Whether a file says of another process that it answers now.

    Raise StateFileError where the file cannot be read.
    """
    author = _author(path)
    return author is not None and author["process_id"] != process_id and _is_fresh(author, now)


def for_process(path: Path, process_id: int) -> Path:
    """Return the name of a discovery file that one process has for itself: `.backend-port.4711.json`."""
    stem, suffix = os.path.splitext(path.name)  # noqa: PTH122 - a suffix of `.backend` would be its name
    return path.with_name(f"{stem}.{process_id}{suffix}")


def remove_dead(root: Path, path: Path, *, now: float, writer: str = "") -> None:
    """Remove the files beside this one that processes had for themselves, and that are not there any more.

    In a folder outside of the checkout they are another project's. What a supervisor with another state folder
    wrote stays: its pids may be those of another container.
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
        # An earlier version wrote no `writer`: a fresh file is kept, its process may be in another container.
        if writer and not signature and _is_fresh(author, now):
            return
        path.unlink()


def _author(path: Path) -> _Author | None:
    """Return whom a discovery file speaks of, and who wrote it; None when it does not say."""
    try:
        return msgspec.json.decode(read_bytes(path) or b"", type=_Author)
    except (msgspec.DecodeError, RecursionError):
        return None


def _is_fresh(author: _Author, now: float) -> bool:
    return abs(now - author.get("timestamp", 0.0)) <= FRESH_SECONDS


def _may_be_replaced(path: Path) -> bool:
    """Whether a file is missing, empty (also after a power cut), or has the keys of a discovery file alone."""
    content = (read_bytes(path) or b"").strip(b"\0 \n")
    if not content:
        return True
    try:
        keys = msgspec.json.decode(content, type=dict[str, object]).keys()
    except (msgspec.DecodeError, RecursionError):
        return False
    return "port" in keys and keys <= DISCOVERY_KEYS and not keys.isdisjoint(("timestamp", "process_id"))


def _origin(url: str) -> tuple[str, str]:
    """Return scheme and host of a URL. By hand: urllib.parse takes longer to load than the file to write."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    if authority.startswith("["):
        return scheme, authority[1:].partition("]")[0]
    return scheme, authority.partition(":")[0]


def _require_inside(root: Path, path: Path) -> None:
    """Raise StateFileError for a file in a folder that a link leads out of the checkout.

    A repository that was cloned may contain a link under any name. One under the file's own name is refused
    when it is written.
    """
    top, folder = os.path.realpath(root), os.path.realpath(path.parent)
    if os.path.commonpath((top, folder)) != top:
        raise StateFileError(
            f"{path} cannot be written: it lies in {folder}, outside of the project",
            hint="name a file in the project under [discovery] in devinit.toml",
        )
    refuse_private(path, folder, top)
