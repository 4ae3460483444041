"""The addresses of a checkout's services, for its applications, test suites and scripts.

They come from the supervisor, which knows every service. If none answers, because it was killed and its services
keep running, they come from a service's discovery file, which counts only with proof. A request starts nothing.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120  -- pathlib takes longer to load than a request

from __future__ import annotations

import os
import time
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.control.client import Client
    from devinit.control.wire import Json

FRESH_SECONDS = 30.0
"""A discovery file older than this is no longer maintained by any process."""
POLL_SECONDS = 0.1
ANSWER_SECONDS = 5.0
_SERVING = ("ready", "unhealthy")
"""Phases with an address. A service with failing health checks may be the one that the user wants to inspect."""


class Discovered(NamedTuple):
    """The address of a service, as in the runtime environment."""

    service: str
    host: str
    """The host to connect to: `BACKEND_HOST`."""
    port: int
    url: str
    """`BACKEND_URL`; that of a database includes its user and password."""


def discover(service: str = "backend", start: str | os.PathLike[str] | None = None) -> Discovered | None:
    """Return the current address of a service; None if it is not ready, has no port, or there is no such project.

    The project is the one that contains `start` (a folder, or a file such as `__file__`; by default the current
    folder). While the project's supervisor runs, every service with a port is found, including databases and
    servers that devinit does not run; without a supervisor, those with a discovery file, usually `backend`.

    It starts nothing, and a missing service is no error. A repeated call takes less than a millisecond.
    """
    found = _look(service, start)
    return found if isinstance(found, Discovered) else None


def wait_for(
    service: str = "backend", timeout: float = 60.0, start: str | os.PathLike[str] | None = None
) -> Discovered:
    """Return the address of a service as soon as it answers; for the parameters see `discover`.

    A ready service is checked once, because its program may have crashed since.

    Raises TimeoutError, with the known reason, if it does not answer within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not isinstance(found := _look(service, start, confirm=True), Discovered):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{service} does not answer after {timeout:g} s: {found}")
        time.sleep(min(POLL_SECONDS, left))
    return found


def _look(service: str, start: str | os.PathLike[str] | None, *, confirm: bool = False) -> Discovered | str:
    """Return the address of a service, or why it has none."""
    from devinit.config.find import find_root_as_text
    from devinit.errors import DevinitError

    try:
        folder = os.path.abspath(start or os.getcwd())
    except FileNotFoundError:
        return "the current folder was deleted"
    root = find_root_as_text(folder)
    if root is None:
        # Detection takes longer than the request, so it is only for a folder without an evident project.
        from devinit.config.shown import root_around

        root = root_around(folder if os.path.isdir(folder) else os.path.dirname(folder))
    if root is None:
        return f"there is no project in {folder} or above it"
    try:
        told = _told(root, service, confirm=confirm)
    except DevinitError as error:
        # It hangs, or belongs to another user. Running services may have a discovery file all the same.
        told, problem = None, error.message
    else:
        if told is None and (elsewhere := _supervised_elsewhere(root)):
            return elsewhere  # a file names a port there, which another program may have here
        problem = f"no supervisor looks after {root}: `devinit start` starts it"
    return told or _written(root, service) or problem


def _told(root: str, service: str, *, confirm: bool) -> Discovered | str | None:
    """Ask the supervisor; return None if there is none, or it manages no services."""
    from devinit.control.launch import connect_to, refuse_another_users

    client = connect_to(root)
    if client is None:
        refuse_another_users(root)
        return None
    try:
        if client.greeting.is_out_of_reach:
            from devinit.control.elsewhere import out_of_reach

            return out_of_reach(client.greeting).message
        services = _services(client)
        if not services:
            return None
        if service not in services:
            return f"{root} has no service of this name; services: {', '.join(services)}"
        if confirm and services[service]["phase"] == "ready" and not _is_confirmed(client, service):
            services = _services(client)
        return _address(client, **services[service])
    finally:
        client.close()


def _supervised_elsewhere(root: str) -> str | None:
    """Return a message about a supervisor that exists but is invisible from here; None otherwise."""
    from devinit.control.waking import ELSEWHERE, visible_supervisor_of

    return f"the supervisor of {root} {ELSEWHERE}" if visible_supervisor_of(root) == 0 else None


def _services(client: Client) -> dict[str, Json]:
    from devinit.control import api

    status = api.status(client, tick=_patience())
    services: dict[str, Json] = {each["name"]: {**each} for each in status["services"]}
    for each in status["services"]:
        # A further port is found as `backend.admin`, and answers while its service does.
        services |= {one["name"]: {**each, **one} for one in each.get("extra_ports", [])}
    return services


def _is_confirmed(client: Client, service: str) -> bool:
    """Have the supervisor check whether a ready service still serves."""
    from devinit.control import api
    from devinit.control.client import RemoteError
    from devinit.model.names import service_of

    owner = service_of(service)
    try:
        phase = api.confirm(client, owner, tick=_patience())
    except RemoteError:
        return True  # an older supervisor, without this check
    return phase == "ready"


def _address(
    client: Client, *, name: str, phase: str, port: int | None, reason: str | None, **_more: object
) -> Discovered | str:
    """Return the address of a service with this status, or why it has none."""
    if port is None:
        return "it has no port"
    if phase not in _SERVING:
        first_line = (reason or "").partition("\n")[0]
        because = f" ({first_line})" if first_line else ""
        verb = "start" if phase == "stopped" else "why"
        return f"it is {phase}{because}: see `devinit {verb} {name}`"
    from devinit.control import api
    from devinit.model.names import variable_prefix

    # The status is for display, so its URLs contain no passwords.
    values = api.environment(client, tick=_patience())
    prefix = variable_prefix(name)
    host = values.get(f"{prefix}_HOST", "127.0.0.1")
    return Discovered(name, host, port, values.get(f"{prefix}_URL", f"http://localhost:{port}"))


def _patience() -> Callable[[], None]:
    """Return a function that raises SupervisorError when a supervisor stays silent after its greeting."""
    from devinit.errors import SupervisorError

    deadline = time.monotonic() + ANSWER_SECONDS

    def tick() -> None:
        if time.monotonic() > deadline:
            raise SupervisorError(f"the supervisor does not answer within {ANSWER_SECONDS:g} s")

    return tick


def _written(root: str, service: str) -> Discovered | None:
    """Read a service's discovery file; return None if there is none, or it is no longer true."""
    import json

    from devinit.errors import StateFileError
    from devinit.system.files import read_bytes

    file = _file_of(root, service)
    if file is None:
        return None
    try:
        said = json.loads(read_bytes(os.path.join(root, file)) or b"")
        found = Discovered(service, str(said["host"]), int(said["port"]), str(said["url"]))
        if _is_of_another(root, str(said.get("writer", ""))):
            return None  # its process and port belong to another container or user
        is_true = _is_true(found.port, int(said["process_id"]), time.time() - float(said["timestamp"]))
    except (StateFileError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None  # there is none, or it is not devinit's
    return _as_told(root, found) if is_true else None


def _is_of_another(root: str, signature: str) -> bool:
    """Whether another state folder's devinit wrote a discovery file."""
    from pathlib import Path

    from devinit.system.state_folders import folder_of
    from devinit.system.writer import is_signed_by_another, writer_of

    return is_signed_by_another(Path(root), signature, writer_of(Path(folder_of(root))))


def _as_told(root: str, found: Discovered) -> Discovered:
    """Return an address completed from `.env.runtime`, where a URL has its path and password."""
    from pathlib import Path

    from devinit.errors import ConfigError
    from devinit.model.names import ENVIRONMENT_FILE, variable_prefix
    from devinit.runtime.dotenv import read_env_file

    prefix = variable_prefix(found.service)
    path = Path(root, ENVIRONMENT_FILE)
    try:
        values = read_env_file(path, caller={}) if path.is_file() else {}
    except ConfigError:
        return found
    if values.get(f"{prefix}_PORT") != str(found.port):
        return found
    return found._replace(
        host=values.get(f"{prefix}_HOST", found.host), url=values.get(f"{prefix}_URL", found.url)
    )


def _file_of(root: str, service: str) -> str | None:
    from devinit.errors import StateFileError
    from devinit.model.defaults import DISCOVERY
    from devinit.model.names import CONFIGURATION_FILE
    from devinit.system.files import LARGEST_SETTINGS, read_text
    from devinit.toml import parse_toml

    try:
        text = read_text(os.path.join(root, CONFIGURATION_FILE), most=LARGEST_SETTINGS)
        table = parse_toml(text or "").get("discovery")
    except (StateFileError, ValueError, RecursionError):
        # The file is missing or being edited; services that were started before keep running.
        table = None
    usual = DISCOVERY.get(service)
    file = table.get(service, usual) if isinstance(table, dict) else usual
    return file if isinstance(file, str) else None


def _is_true(port: int, process_id: int, age: float) -> bool:
    """Return whether the recorded process listens, or another process does and the file is fresh.

    A program that reloads itself may listen in another process by now.
    """
    from devinit.system.listeners import socket_inodes, tcp_listeners

    listeners = {each.inode for each in tcp_listeners(port)}
    return not listeners.isdisjoint(socket_inodes(process_id)) or (
        bool(listeners) and abs(age) < FRESH_SECONDS
    )
