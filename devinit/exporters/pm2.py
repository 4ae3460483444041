"""Export an ecosystem file for PM2, in CommonJS, so that it also works in a package of ES modules.

Values that other programs read without running the file are literals: name, folder, script, arguments, PORT. Its
last lines make paths absolute, because PM2 resolves relative folders against the directory that it is called in.
"""

from __future__ import annotations

from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.javascript import Expression, Node, literal, rendered
from devinit.exporters.shell import IN_PLACE, NEEDS_RUNTIME, left_out, runnable, started
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Reader, Resolved, ResolvedService, Role, Value
from devinit.model.service import RestartMode

PATH = "ecosystem.config.cjs"
HEAD = f"""\
// `pm2 start {PATH}` starts the services on these ports. Needs Node 20.12 or newer.
// {NEEDS_RUNTIME}.
"use strict";
const {{ existsSync, readFileSync }} = require("node:fs");
const path = require("node:path");
const {{ parseEnv }} = require("node:util");

const read = (file) => (existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {{}});
const runtime = read(path.join(__dirname, {literal(ENVIRONMENT_FILE)}));

function given(name, files = []) {{
  const own = Object.assign({{}}, ...files.map((file) => read(path.resolve(__dirname, file))));
  const value = runtime[name] ?? own[name] ?? process.env[name];
  if (value === undefined) {{
    throw new Error(`${{name}} is not set: \\`devinit start\\` writes {ENVIRONMENT_FILE}`);
  }}
  return value;
}}

"""
TAIL = """
// Each app gets its .env files, what all apps share, and its own `env`, which counts most. Paths become absolute.
for (const app of module.exports.apps) {
  const { env_files = [], tools = [], ...rest } = app;
  const folders = tools.map((folder) => path.resolve(__dirname, folder));
  const PATH = [...folders, process.env.PATH].join(path.delimiter);
  const files = env_files.map((file) => read(path.resolve(__dirname, file)));
  const own = folders.map((folder) => path.join(folder, app.script)).find(existsSync);
  for (const key of Object.keys(app)) delete app[key];
  Object.assign(app, rest, {
    cwd: path.resolve(__dirname, rest.cwd),
    script: own ?? rest.script,
    env: Object.assign({}, ...files, shared, { PATH }, rest.env),
  });
}
"""


def render(resolved: Resolved) -> Export:
    """Return the file, and notes on what PM2 cannot do."""
    services = runnable(resolved)
    shared = _shared(services, resolved)
    apps = [_app(each, resolved, shared) for each in services]
    common = {name: _value(name, value, resolved) for name, value in shared.items()}
    body = f"const shared = {rendered(common)};\n\nmodule.exports = {rendered({'apps': apps})};\n"
    notes = [f"start it with: pm2 start {PATH}", *left_out(resolved)]
    if any(each.depends_on for each in services):
        notes.append("PM2 starts everything at once: a service that needs another one has to try again")
    return Export(files=(File(path=PATH, text=HEAD + body + TAIL, comment=("// ", "")),), notes=tuple(notes))


def _shared(services: tuple[ResolvedService, ...], resolved: Resolved) -> dict[str, Value]:
    """Return the variables with the same value for all services, whatever the services' own files state."""
    if not services:
        return {}
    first, *others = services
    return {
        name: value
        for name, value in first.environment.items()
        if name not in IN_PLACE
        and all(each.environment.get(name) == value for each in others)
        and resolved.environment.keys() >= {*value.variables}
    }


def _app(service: ResolvedService, resolved: Resolved, shared: dict[str, Value]) -> dict[str, Node]:
    app: dict[str, Node] = {"name": service.name, "cwd": service.folder}
    app |= _program(service)
    app |= {"interpreter": "none", "exec_mode": "fork", "instances": 1, "watch": False}
    app |= _restarts(service)
    if service.grace_seconds is not None:
        app["kill_timeout"] = round(service.grace_seconds * 1000)
    if service.env_files:
        app["env_files"] = [each.path for each in service.env_files]
    if service.tools:
        app["tools"] = service.tools
    own = {name: value for name, value in _port_first(service).items() if name not in shared}
    app["env"] = {name: _value(name, value, resolved, service) for name, value in own.items()}
    return app


def _program(service: ResolvedService) -> dict[str, Node]:
    """Return the executable: the program itself, or sh for syntax that needs a shell."""
    command = service.command
    assert command is not None  # noqa: S101 - the caller passes services with a command
    is_simple = not (service.before_start or command.needs_shell)
    if not is_simple or any(each.variables for each in command.words):
        return {"script": "/bin/sh", "args": ["-c", started(service)]}
    first, *arguments = (each.written(str) for each in command.words)
    return {"script": first, "args": arguments}


def _restarts(service: ResolvedService) -> dict[str, Node]:
    if service.role is Role.JOB or service.restart.mode is RestartMode.NEVER:
        return {"autorestart": False}
    found: dict[str, Node] = {
        "autorestart": True,
        "max_restarts": service.restart.failures,
        "exp_backoff_restart_delay": 100,
    }
    if service.restart.mode is RestartMode.ON_FAILURE:
        found["stop_exit_codes"] = [0]
    return found


def _port_first(service: ResolvedService) -> dict[str, Value]:
    ports = {name: value for name, value in service.environment.items() if name == "PORT"}
    return ports | service.environment


def _value(name: str, value: Value, resolved: Resolved, service: ResolvedService | None = None) -> Node:
    if not value.variables:
        return value.written(str)
    if value.variables == (name,) or resolved.environment.get(name) == value:
        return _given(name, resolved, service)
    pieces = (
        each if isinstance(each, str) else _given(each.variable, resolved, service) for each in value.pieces
    )
    return Expression(" + ".join(map(rendered, pieces)))


def _given(name: str, resolved: Resolved, service: ResolvedService | None) -> Expression:
    """Return the expression that reads a variable from the runtime environment or the service's `.env` files."""
    files = [each.path for each in service.env_files] if service is not None else []
    further = f", {rendered(files)}" if files and name not in resolved.environment else ""
    return Expression(f"given({literal(name)}{further})")


EXPORTER = Exporter(name="pm2", reader=Reader.MACHINE, path=PATH, render=render)
