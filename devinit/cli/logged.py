"""The selection of the services whose logs a command shows, and the detection of deleted logs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.cli.output import talk
from devinit.control import api
from devinit.errors import ConfigError, DevinitError, StateFileError, SupervisorError
from devinit.logs import log_path
from devinit.model.unknown import unknown_service
from devinit.system.checkout import folder_with_logs
from devinit.system.files import read_bytes

if TYPE_CHECKING:
    from devinit.model.status import ServiceStatus


def log_of(root: Path, service: str) -> Path:
    """Return the log file of a service."""
    return Path(log_path(root, service))


def logs_folder(root: Path) -> Path:
    """Return the folder with all logs of a checkout."""
    return Path(folder_with_logs(root)) / "logs"


def chosen(names: list[str], root: Path, *, silent_too: bool) -> list[str]:
    """Return the services whose logs to show. Raise UsageError for an unknown name.

    A service that does not run and is no longer in the configuration must be named. `silent_too` includes services
    without output, which may print something while the logs are followed.
    """
    written = written_in(root)
    if names and "all" not in names:
        if not set(names) <= set(written):
            refuse_unknown(names, root)
        return list(dict.fromkeys(names))
    profile, running = on_record(root)
    if written and not silent_too and running.issuperset(written):
        # This usual case avoids reading the configuration, which takes longer than the rest.
        return written
    configured = services_of(root, profile)
    if configured is None:
        return written
    shown = [name for name in written if name in running or name in configured]
    return [*shown, *(name for name in configured if name not in shown)] if silent_too else shown


def written_in(root: Path) -> list[str]:
    """Return the services that have a log file."""
    try:
        return sorted(path.stem for path in logs_folder(root).glob("*.log"))
    except PermissionError as error:
        raise StateFileError(
            f"{error.filename} cannot be read: {error.strerror}",
            hint="it belongs to the user who started devinit",
        ) from error


def on_record(root: Path) -> tuple[str | None, set[str]]:
    """Return the profile of the last start, and the running services; nothing without a readable record."""
    import json  # only a command without a service needs it

    try:
        state = json.loads(read_bytes(Path(folder_with_logs(root)) / "state.json") or b"")
        profile, services = state["profile"], set(state["services"])
    except (StateFileError, ValueError, KeyError, TypeError, RecursionError):
        return None, set()
    return profile if isinstance(profile, str) else None, services


def services_of(root: Path, profile: str | None) -> list[str] | None:
    """Return the services of the configuration; None if it is broken, because logs are shown even then."""
    from devinit.config.load import (
        load,
    )  # takes longer than the rest of this command, which often needs it not

    try:
        return list(load(root, profile=os.environ.get("DEVINIT_PROFILE") or profile).services)
    except ConfigError as error:
        talk(f"{error.message}: only services that have printed something are shown")
        return None


def refuse_unknown(names: list[str], root: Path) -> None:
    """Raise UsageError unless all services exist, of which one has printed nothing yet.

    Running services exist even if the configuration no longer has them.
    """
    from devinit.config.load import load  # as above

    profile, running = on_record(root)
    if running.issuperset(names):
        return
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or profile)
    for name in names:
        if name not in project.services and name not in running:
            raise unknown_service(name, project.services, project.name)


def refuse_another_users_logs(root: Path, names: list[str]) -> None:
    """Raise SupervisorError for services of another user, whose logs are in that user's folders."""
    if any(log_of(root, name).exists() for name in names):
        return
    from devinit.control.launch import (  # only needed where there is no log
        connect_to,
        refuse_another_users,
    )

    try:
        refuse_another_users(root)
    except SupervisorError:
        # Root may connect to another user's supervisor, and then read the logs that will be there.
        if connect_to(root) is None:
            raise


def lost_by_running(root: Path, names: list[str]) -> list[str]:
    """Return the running services, among these or all, whose log file was deleted."""
    from devinit.control.launch import connect_to  # only needed where there is no log

    with suppress(DevinitError):
        client = connect_to(root)
        if client is not None:
            services = api.status(client)["services"]
            client.close()
            return [name for name in without_log(root, services) if not names or name in names]
    return []


def without_log(root: Path, services: Iterable[ServiceStatus]) -> list[str]:
    """Return the running services whose log file is gone (`rm -rf` of the folder)."""
    return [each["name"] for each in services if each["pid"] and not log_of(root, each["name"]).exists()]
