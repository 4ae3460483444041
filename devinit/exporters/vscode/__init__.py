"""Export tasks and launch configurations for VS Code, which run devinit and attach to the current debug ports."""

from __future__ import annotations

import json
from typing import Any

from devinit.exporters.exporter import Export, Exporter, File
from devinit.model.names import is_of_debugger
from devinit.model.resolved import Reader, Resolved, ResolvedPort, ResolvedService, Role

FOLDER = ".vscode/"
START = "devinit: start"


def render(resolved: Resolved) -> Export:
    """Return tasks.json and launch.json, which may have comments."""
    launch = [config for each in resolved.services for config in _configurations(each)]
    tasks = {"version": "2.0.0", "tasks": _tasks(resolved)}
    files = (
        File(path="tasks.json", text=as_json(tasks), comment=("// ", "")),
        File(
            path="launch.json",
            text=as_json({"version": "0.2.0", "configurations": launch}),
            comment=("// ", ""),
        ),
    )
    return Export(files=files, notes=tuple(_notes(launch)))


def _notes(launch: list[dict[str, Any]]) -> list[str]:
    if any(each["request"] == "attach" for each in launch):
        return [
            "`devinit export vscode -o .vscode` writes it; until it is edited, it follows debug ports that move"
        ]
    return [
        "no service has a debug port: name one `debugger` in its extra_ports, and give it to its debugger"
    ]


def _tasks(resolved: Resolved) -> list[dict[str, Any]]:
    tasks = [
        _task(START, ["start", "-d"], detail="Bring all services up, and return when they are ready"),
        _task("devinit: stop", ["stop"], detail="Stop all services"),
        _task("devinit: logs", ["logs", "-f"], detail="Follow what the services print", is_background=True),
    ]
    tasks += [
        _task(f"devinit: restart {each.name}", ["restart", each.name])
        for each in resolved.services
        if each.role is not Role.ELSEWHERE
    ]
    tasks += [
        _task(f"devinit: run {each.name}", ["run", each.name], detail=each.description or "")
        for each in resolved.tasks
    ]
    return tasks


def _task(label: str, words: list[str], detail: str = "", *, is_background: bool = False) -> dict[str, Any]:
    task: dict[str, Any] = {"label": label, "type": "process", "command": "devinit", "args": words}
    if detail:
        task["detail"] = detail
    return task | {
        "options": {"cwd": "${workspaceFolder}"},
        "isBackground": is_background,
        "problemMatcher": [],
    }


def _configurations(service: ResolvedService) -> list[dict[str, Any]]:
    found = [
        config
        for port in service.extra_ports
        if is_of_debugger(port.name) and (config := _attaching(service, port))
    ]
    if service.role is Role.FRONTEND and service.port is not None and service.port.url is not None:
        found.append(
            {
                "name": f"{service.name}: open in Chrome",
                "type": "chrome",
                "request": "launch",
                "url": service.port.url,
                "webRoot": _folder(service),
                "preLaunchTask": START,
            }
        )
    return found


def attaching_name(service: str) -> str:
    """Return the name of the configuration that attaches to a service."""
    return f"{service}: attach"


def _attaching(service: ResolvedService, port: ResolvedPort) -> dict[str, Any]:
    common = {"name": attaching_name(service.name), "request": "attach"}
    match service.language:
        case "python":
            place = {"host": "127.0.0.1", "port": port.number}
            return common | {"type": "debugpy", "connect": place, "justMyCode": False}
        case "node":
            return common | {
                "type": "node",
                "address": "127.0.0.1",
                "port": port.number,
                "restart": True,
                "localRoot": _folder(service),
            }
        case "go":
            return common | {"type": "go", "mode": "remote", "host": "127.0.0.1", "port": port.number}
    return {}


def _folder(service: ResolvedService) -> str:
    if "${" in service.folder:
        # VS Code would expand this, and even run a `${command:…}`; there is no way to escape it.
        return "${workspaceFolder}"
    if service.folder.startswith("/"):
        return service.folder
    return "${workspaceFolder}" if service.folder == "." else f"${{workspaceFolder}}/{service.folder}"


def as_json(value: Any) -> str:
    """Return the text of a VS Code file. Any: JSON data."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


EXPORTER = Exporter(name="vscode", reader=Reader.MACHINE, path=FOLDER, render=render)
