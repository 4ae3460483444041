"""The container that publishes a port, according to the engines that run here; a slow engine is not waited for.

The listening process is the engine's proxy, whose name means nothing to users. Ending it would leave the container
running and unreachable. An engine that is missing, hidden from us or hanging is no error.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress

import msgspec
from msgspec import Struct

from devinit.model.port import Container

WAIT_SECONDS = 0.3
"""Time limit for all engines together: an engine that hangs must not delay a start."""
PATIENT_SECONDS = 5.0
"""Time limit for an engine that is needed anyway."""

# HTTP/1.0, so that the answer is neither chunked nor followed by another one. All versions of Docker and Podman
# support the path without a version.
_REQUEST = b"GET /containers/json HTTP/1.0\r\nHost: localhost\r\n\r\n"
_REQUEST_FOR_ALL = _REQUEST.replace(b"json", b"json?all=1")
_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"
# Docker Desktop, OrbStack, Colima, Rancher Desktop; below the home directory.
_DESKTOPS = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".orbstack/run/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
)
_LONGEST_ANSWER = 16 << 20
_PART = 1 << 16


class _Port(Struct, rename="pascal"):
    public_port: int | None = None
    private_port: int = 0
    type: str = "tcp"


class _Row(Struct, rename="pascal"):
    id: str
    names: list[str] | None = None
    image: str = ""
    ports: list[_Port] | None = None
    labels: dict[str, str] | None = None


class ComposeContainer(Struct, frozen=True):
    """A container that compose has made, running or not."""

    service: str
    folder: str
    """Where compose found its project; empty where that is not on record."""
    ports: dict[int, int]
    """The number in the container → that of this machine, while it runs."""


def of_compose(project: str, path: str) -> list[ComposeContainer]:
    """Return the containers of a compose project, asked of the engine with this socket."""
    answers = _answers({path: "docker"}, _REQUEST_FOR_ALL, PATIENT_SECONDS)
    rows = [row for _, answer in answers for row in _rows(answer)]
    return [
        ComposeContainer(
            labels.get(_SERVICE, ""),
            labels.get(f"{_PROJECT}.working_dir", ""),
            {
                each.private_port: each.public_port
                for each in row.ports or ()
                if each.public_port and each.type == "tcp"
            },
        )
        for row in rows
        if (labels := row.labels or {}).get(_PROJECT) == project
    ]


def published(*, environ: Mapping[str, str] = os.environ) -> dict[int, Container]:
    """Return every TCP port that a running container publishes, on any address."""
    found: dict[int, Container] = {}
    for engine, answer in _answers(engines(environ)):
        for row in _rows(answer):
            for each in row.ports or ():
                if each.public_port and each.type == "tcp":
                    found.setdefault(each.public_port, _container(engine, row))
    return found


def engines(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the sockets on which an engine may listen, with the command of the engine."""
    home, runtime = environ.get("HOME"), environ.get("XDG_RUNTIME_DIR")
    places = {
        _socket_in(environ.get("DOCKER_HOST", "")): "docker",
        _socket_in(environ.get("CONTAINER_HOST", "")): "podman",
        "/var/run/docker.sock": "docker",
        "/run/podman/podman.sock": "podman",
        **(
            {f"{runtime}/docker.sock": "docker", f"{runtime}/podman/podman.sock": "podman"} if runtime else {}
        ),
        **({f"{home}/{below}": "docker" for below in _DESKTOPS} if home else {}),
    }
    return {path: engine for path, engine in places.items() if path}


def _socket_in(address: str) -> str:
    """Return the path of a `unix://` address; an engine on another machine publishes nothing here."""
    return address.removeprefix("unix://") if address.startswith("unix://") else ""


def _answers(
    places: Mapping[str, str], request: bytes = _REQUEST, seconds: float = WAIT_SECONDS
) -> Iterator[tuple[str, bytes]]:
    """Query all engines at once, and yield each answer that arrives in time."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:
        asked: set[str] = set()
        for path, engine in places.items():
            real = os.path.realpath(path)  # Docker Desktop links one of its sockets to another
            if real in asked:
                continue
            asked.add(real)
            link = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            link.settimeout(0)
            with suppress(OSError):  # no socket, no listener, no permission, or a full queue: no answer
                link.connect(real)
                link.send(request)
                waiting.register(link, selectors.EVENT_READ, (link, engine, bytearray()))
        while waiting.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                link, engine, answer = key.data
                if not _read(link, answer):
                    waiting.unregister(link)
                    yield engine, bytes(answer)


def _read(link: socket.socket, answer: bytearray) -> bool:
    """Read the data that has arrived; return whether more may come."""
    try:
        part = link.recv(_PART)
    except BlockingIOError:
        return True
    except OSError:
        answer.clear()
        return False
    answer += part
    return bool(part) and len(answer) < _LONGEST_ANSWER


def _rows(answer: bytes) -> list[_Row]:
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        return []
    try:
        return msgspec.json.decode(body, type=list[_Row])
    except (msgspec.DecodeError, RecursionError):  # cut off, or not an engine at all
        return []


def _container(engine: str, row: _Row) -> Container:
    labels = row.labels or {}
    name = row.names[0].removeprefix("/") if row.names else row.id[:12]
    # podman-compose sets its own labels and those of Docker Compose.
    return Container(
        engine=engine,
        id=row.id,
        name=name,
        image=row.image,
        compose_project=labels.get(_PROJECT),
        compose_service=labels.get(_SERVICE),
    )
