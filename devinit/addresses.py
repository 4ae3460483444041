"""Where the services of a checkout answer, for its applications, test suites and scripts.

The supervisor is asked, who knows every service. Where none answers, because it was killed and its services
run on, a service's discovery file is read, and believed only with a proof. Asking starts nothing.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120  -- pathlib takes longer than the question

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
"""A discovery file that is older than this has no process that keeps it."""
POLL_SECONDS = 0.1
ANSWER_SECONDS = 5.0
_SERVING = ("ready", "unhealthy")
"""A service whose health checks fail may be just the one that the user wants to look at."""


class Discovered(NamedTuple):
    """Where a service answers, in the words of the runtime environment."""

    service: str
    host: str
    """What to connect to: `BACKEND_HOST`."""
    port: int
    url: str
    """`BACKEND_URL`; a database's has its user and password in it."""


def discover(service: str = "backend", start: str | os.PathLike[str] | None = None) -> Discovered | None:
    """Return where a service answers now, or None: it is not ready, has no port, or there is no such project.

    The project is the one that `start` lies in (a folder or a file such as `__file__`; the current folder
    without it). Every service with a port is found while the project's supervisor runs, databases and
    servers that devinit does not run included; without one, those with a discovery file, usually `backend`.

    Nothing is started, and what is not there is no error. Asking again takes less than a millisecond.
    """
    found = _look(service, start)
    return found if isinstance(found, Discovered) else None


def wait_for(
    service: str = "backend", timeout: float = 60.0, start: str | os.PathLike[str] | None = None
) -> Discovered:
    """Return where a service answers, as soon as it does: see `discover`.

    A service that is ready is asked once whether it still serves: its program may have crashed since.

    Raises TimeoutError, with what is known about the reason, when it does not within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not isinstance(found := _look(service, start, confirm=True), Discovered):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{service} does not answer after {timeout:g} s: {found}")
        time.sleep(min(POLL_SECONDS, left))
    return found


def _look(service: str, start: str | os.PathLike[str] | None, *, confirm: bool = False) -> Discovered | str:
    """Return where a service answers, or why it does not."""
    from devinit.config.find import find_root_as_text
    from devinit.errors import DevinitError

    try:
        folder = os.path.abspath(start or os.getcwd())
    except FileNotFoundError:
        return "the current folder was deleted"
    root = find_root_as_text(folder)
    if root is None:
        # Detection: only where a project is not evident, because it takes longer than the question.
        from devinit.config.shown import root_around

        root = root_around(folder if os.path.isdir(folder) else os.path.dirname(folder))
    if root is None:
        return f"there is no project in {folder} or above it"
    try:
        told = _told(root, service, confirm=confirm)
    except DevinitError as error:
        # It hangs, or belongs to another user. What runs may have a file all the same.
        told, problem = None, error.message
    else:
        if told is None and (elsewhere := _supervised_elsewhere(root)):
            return elsewhere  # a file says what listens there, and another program may do so here
        problem = f"no supervisor looks after {root}: `devinit start` starts it"
    return told or _written(root, service) or problem


def _told(root: str, service: str, *, confirm: bool) -> Discovered | str | None:
    """Ask the supervisor; None when there is none, or it was only asked something and looks after nothing."""
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
    """Return what to say of a supervisor that is there and cannot be seen from here; None otherwise."""
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
    """Let the supervisor ask a service that is ready whether it still serves."""
    from devinit.control import api
    from devinit.control.client import RemoteError
    from devinit.model.names import service_of

    owner = service_of(service)
    try:
        phase = api.confirm(client, owner, tick=_patience())
    except RemoteError:
        return True  # an older supervisor, which knows no better
    return phase == "ready"


def _address(
    client: Client, *, name: str, phase: str, port: int | None, reason: str | None, **_more: object
) -> Discovered | str:
    """Return where a service answers, of which the supervisor has told this."""
    if port is None:
        return "it has no port"
    if phase not in _SERVING:
        first_line = (reason or "").partition("\n")[0]
        because = f" ({first_line})" if first_line else ""
        verb = "start" if phase == "stopped" else "why"
        return f"it is {phase}{because}: see `devinit {verb} {name}`"
    from devinit.control import api
    from devinit.model.names import variable_prefix

    # The status is for people: no passwords are in its URLs.
    values = api.environment(client, tick=_patience())
    prefix = variable_prefix(name)
    host = values.get(f"{prefix}_HOST", "127.0.0.1")
    return Discovered(name, host, port, values.get(f"{prefix}_URL", f"http://localhost:{port}"))


def _patience() -> Callable[[], None]:
    """Return what gives up a supervisor that has greeted and then says nothing more."""
    from devinit.errors import SupervisorError

    deadline = time.monotonic() + ANSWER_SECONDS

    def tick() -> None:
        if time.monotonic() > deadline:
            raise SupervisorError(f"the supervisor does not answer within {ANSWER_SECONDS:g} s")

    return tick


def _written(root: str, service: str) -> Discovered | None:
    """Read a service's discovery file; None when there is none, or what it says is not true any more."""
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
            return None  # its process and its port are those of another container, or another user's
        is_true = _is_true(found.port, int(said["process_id"]), time.time() - float(said["timestamp"]))
    except (StateFileError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None  # there is none, or it is not one of ours
    return _as_told(root, found) if is_true else None


def _is_of_another(root: str, signature: str) -> bool:
    """Whether a discovery file was written by devinit with another state folder."""
    from pathlib import Path

    from devinit.system.state_folders import folder_of
    from devinit.system.writer import is_signed_by_another, writer_of

    return is_signed_by_another(Path(root), signature, writer_of(Path(folder_of(root))))


def _as_told(root: str, found: Discovered) -> Discovered:
    """Return an address in the words of `.env.runtime`: with the path and the password that a URL has there."""
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
        # It is missing or being edited: what was started before runs on.
        table = None
    usual = DISCOVERY.get(service)
    file = table.get(service, usual) if isinstance(table, dict) else usual
    return file if isinstance(file, str) else None


def _is_true(port: int, process_id: int, age: float) -> bool:
    """Return whether the recorded process still listens, or another process does and the file is fresh.

    A program that reloads itself may listen in another process by now.
    """
    from devinit.system.listeners import socket_inodes, tcp_listeners

    listeners = {each.inode for each in tcp_listeners(port)}
    return not listeners.isdisjoint(socket_inodes(process_id)) or (
        bool(listeners) and abs(age) < FRESH_SECONDS
    )
