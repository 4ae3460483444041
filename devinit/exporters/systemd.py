"""Export units for the user's systemd: a service unit for each service, and a target that starts all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.shell import (
    NEEDS_RUNTIME,
    assignments,
    in_line,
    left_out,
    own_values,
    runnable,
    started,
    tools_path,
)
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Reader, Resolved, ResolvedService, Role
from devinit.model.service import Condition, RestartMode

FOLDER = "systemd/"
_RESTARTS = {
    RestartMode.ON_FAILURE: "on-failure",
    RestartMode.ALWAYS: "always",
    RestartMode.NEVER: "no",
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9:_.-]+")


def render(resolved: Resolved) -> Export:
    """Return the units. Their paths are absolute, as systemd requires."""
    services = runnable(resolved)
    names = {each.name: _unit(resolved, each.name) for each in services}
    target = f"{_slug(resolved.project)}.target"
    files = [File(path=target, text=_target(resolved, names, services))]
    files += [File(path=names[each.name], text=_service(each, resolved, names, target)) for each in services]
    installing = (
        "install them: -o ~/.config/systemd/user, then `systemctl --user daemon-reload` and "
        f"`systemctl --user start {target}`"
    )
    return Export(files=tuple(files), notes=(installing, NEEDS_RUNTIME, *left_out(resolved)))


def _target(resolved: Resolved, names: Mapping[str, str], services: tuple[ResolvedService, ...]) -> str:
    wanted = " ".join(names[each.name] for each in services if each.autostart)
    return _sections(
        {
            "Unit": [("Description", _plain(resolved.project)), ("Wants", wanted)],
            "Install": [("WantedBy", "default.target")],
        }
    )


def _service(service: ResolvedService, resolved: Resolved, names: Mapping[str, str], target: str) -> str:
    root = str(resolved.root)
    needed = [each for each in service.depends_on if each.service in names]
    after = " ".join(names[each.service] for each in needed)
    required = " ".join(names[each.service] for each in needed if each.condition is Condition.COMPLETED)
    wanted = " ".join(names[each.service] for each in needed if each.condition is not Condition.COMPLETED)
    is_job = service.role is Role.JOB
    mode = RestartMode.NEVER if is_job else service.restart.mode
    unit = [
        ("Description", _plain(f"{service.name} of {resolved.project}")),
        ("After", after),
        ("Requires", required),
        ("Wants", wanted),
        ("PartOf", target),
        ("StartLimitIntervalSec", f"{service.restart.window_seconds:g}"),
        ("StartLimitBurst", str(service.restart.failures)),
    ]
    folder = (
        service.folder if service.folder.startswith("/") else f"{root}/{service.folder}".removesuffix("/.")
    )
    run = [
        ("Type", "oneshot" if is_job else "exec"),
        ("RemainAfterExit", "yes" if is_job else ""),
        ("WorkingDirectory", _path(folder)),
        *(("EnvironmentFile", f"-{_path(_absolute(each.path, root))}") for each in service.env_files),
        ("EnvironmentFile", _path(f"{root}/{ENVIRONMENT_FILE}")),
        *(("ExecStartPre", _executed(service, resolved, in_line(each))) for each in service.before_start),
        ("ExecStart", _executed(service, resolved, _alone(service))),
        ("Restart", _RESTARTS[mode]),
        ("RestartSec", "1" if mode is not RestartMode.NEVER else ""),
        ("KillSignal", f"SIG{service.stop_signal}" if service.stop_signal else ""),
        ("TimeoutStopSec", f"{service.grace_seconds:g}" if service.grace_seconds is not None else ""),
    ]
    return _sections({"Unit": unit, "Service": run, "Install": [("WantedBy", target)]})


def _alone(service: ResolvedService) -> str:
    """Return the line that starts a service without its one-shots, for which systemd has `ExecStartPre`."""
    return started(replace(service, before_start=()))


def _executed(service: ResolvedService, resolved: Resolved, line: str) -> str:
    """Return a line of sh for systemd. It sets variables itself, because EnvironmentFile overrides Environment."""
    values = [*assignments(own_values(service, resolved)), *filter(None, [tools_path(service)])]
    whole = f"export {' '.join(values)} && {line}" if values else line
    return f"/bin/sh -c {_quoted(whole)}"


def _quoted(text: str) -> str:
    """Return a text as one word of a unit's line: specifiers and variables are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("%", "%%").replace("$", "$$")}"'


def _path(path: str) -> str:
    return path.replace("%", "%%")


def _absolute(path: str, root: str) -> str:
    return path if path.startswith("/") else f"{root}/{path}"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text).replace("%", "%%")


def _unit(resolved: Resolved, service: str) -> str:
    return f"{_slug(resolved.project)}-{_slug(service)}.service"


def _slug(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text).strip("-.") or "project"


def _sections(sections: Mapping[str, list[tuple[str, str]]]) -> str:
    return "\n".join(
        "".join((f"[{name}]\n", *(f"{key}={value}\n" for key, value in entries if value)))
        for name, entries in sections.items()
    )


EXPORTER = Exporter(name="systemd", reader=Reader.MACHINE, path=FOLDER, render=render)
