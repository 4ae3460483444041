"""The program that would restart a process, and the command that prevents that.

Ending such a process frees its port only for a moment, so the advice is the manager's own command. Two things are
evidence: a control group, which no process leaves by accident, and a manager among the ancestors, with the name
that it gave the process in its environment. An environment alone proves nothing, because all children inherit it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence

from devinit.model.port import Manager
from devinit.model.process import ProcessFacts
from devinit.model.workplace import SHELLS, is_prompt
from devinit.system.processes import all_processes, cgroups_of, variable_of

_INTERPRETERS = frozenset({"bun", "deno", "env", "node", "nodejs", "perl", "ruby", *SHELLS})

RUNNERS = frozenset(
    """
    air cargo-watch chokidar circusd concurrently entr forego foreman forever goreman guard hivemind honcho
    invoker modd mprocs node-dev nodemon overmind pitchfork process-compose reflex runsv s6-supervise
    supervise ts-node-dev watchexec watchfiles watchmedo wgo
    """.split()  # noqa: SIM905 - a list of words, not of strings
)
"""Programs in a terminal that restart a process, or everything that belongs to it."""
_WATCHING = {"tsx": "watch", "turbo": "watch", "dotnet": "watch", "node": "--watch"}
"""Programs that do so if their command line contains this word."""

# Not compiled here: most starts never look for a manager, and compiling takes 2 ms. Systemd units in which whole
# sessions run: stopping one of them ends far more than a server.
_HOSTS = (
    r"(sshd?|cron|crond|cronie|atd|dbus|dbus-broker|docker|containerd|podman|gdm3?|lightdm|sddm|display-manager"
    r"|gnome-.*|plasma-.*|xdg-.*|app-.*|.*getty@.*|user@.*|xrdp.*|.*vnc.*|mosh.*|ttyd.*|tmux.*|screen.*|zellij.*"
    r"|code-server.*|emacs.*|jupyter.*|actions\.runner.*|gitlab-runner.*|jenkins.*|buildkite-agent.*)\.service$"
)
_PM2 = r"PM2 v[^:]*: God Daemon"
_PM2_NAME = r'"name":"([^"\\]+)"'
_CONTAINER = r"[/-](?P<kind>docker|libpod)[-/](?P<id>[0-9a-f]{64})"
_DEFAULT_SUPERVISORS = ("unix:///var/run/supervisor.sock", "unix:///run/supervisor.sock")


def manager_of(facts: ProcessFacts, ancestors: Sequence[ProcessFacts]) -> Manager | None:
    """Return what would restart a process; `ancestors` are its parent, that parent's parent and so on.

    The nearest manager that knows the process by name takes precedence, then its container or systemd unit, then
    the outermost runner: a nodemon under overmind is stopped through overmind.
    """
    chain = (facts, *_up_to_a_prompt(ancestors))
    if named := next(_named(chain), None):
        return named
    groups = cgroups_of(facts.identity.pid)
    # A unit or container in which devinit itself runs is its own environment, not what restarts a server.
    others = [group for group in groups if group not in cgroups_of(os.getpid())]
    if inside := next((found for group in others if (found := _container(group))), None):
        return inside
    typed = len(chain) <= len(ancestors)
    if not typed and (unit := next((found for group in others if (found := unit_in(group))), None)):
        return unit
    return next((found for above in reversed(chain[1:]) if (found := _runner(above))), None)


def _up_to_a_prompt(ancestors: Sequence[ProcessFacts]) -> Iterator[ProcessFacts]:
    """Yield the ancestors below an interactive shell: the shell restarts nothing that was typed there."""
    for above in ancestors:
        if is_prompt(above.command):
            return
        yield above


def _named(chain: Sequence[ProcessFacts]) -> Iterator[Manager]:
    for at, above in enumerate(chain):
        child = chain[at - 1] if at else None
        if re.match(_PM2, above.title):
            yield _pm2(above, child)
        elif child is not None:
            words = above.command
            if program_of(above) == "supervisord":
                yield _supervisord(above, child)
            elif program_of(above) == "tmux" and any(word.startswith("overmind-") for word in words):
                yield _overmind(above, child)
            elif program_of(above) == "process-compose":
                yield _process_compose(above, child)


def _pm2(god: ProcessFacts, child: ProcessFacts | None) -> Manager:
    # In cluster mode the daemon itself listens, and its workers have the name in a JSON variable.
    workers = [child.identity.pid] if child else _children_of(god.identity.pid)
    names = {name for pid in workers if (name := _pm2_name(pid))}
    if child is None and len(names) > 1:
        names.clear()
    name = names.pop() if names else ""
    home = _variables(god)("PM2_HOME")
    at = "" if home in ("", os.path.expanduser("~/.pm2")) else f"PM2_HOME={shlex.quote(home)} "  # noqa: PTH111
    stop = f"{at}pm2 stop {shlex.quote(name) if name else 'all'}"
    return Manager(kind="pm2", name=name, pid=god.identity.pid, stop_command=stop)


def _pm2_name(pid: int) -> str:
    cluster = re.search(_PM2_NAME, variable_of(pid, "pm2_env") or "")
    return cluster[1] if cluster else variable_of(pid, "name") or ""


def _supervisord(above: ProcessFacts, child: ProcessFacts) -> Manager:
    told = _variables(child)
    name, group = told("SUPERVISOR_PROCESS_NAME"), told("SUPERVISOR_GROUP_NAME")
    full = name if group in ("", name) else f"{group}:{name}"
    server = told("SUPERVISOR_SERVER_URL")
    at = "" if not server or server in _DEFAULT_SUPERVISORS else f"-s {shlex.quote(server)} "
    return Manager(
        kind="supervisord",
        name=full,
        pid=above.identity.pid,
        stop_command=f"supervisorctl {at}stop {shlex.quote(full or 'all')}",
    )


def _overmind(tmux: ProcessFacts, shell: ProcessFacts) -> Manager:
    # overmind runs each process through a script with its name: /tmp/overmind-shop-ID/web
    scripts = (word.rpartition("/") for word in shell.command)
    name = next((name for folder, _, name in scripts if "/overmind-" in folder), "")
    socket = shlex.quote(f"{tmux.directory}/.overmind.sock") if tmux.directory else ".overmind.sock"
    stop = f"overmind stop -s {socket} {shlex.quote(name)}" if name else f"overmind quit -s {socket}"
    return Manager(kind="overmind", name=name, pid=tmux.identity.pid, stop_command=stop)


def _process_compose(above: ProcessFacts, child: ProcessFacts) -> Manager:
    name = _variables(child)("PC_PROC_NAME")
    pid = above.identity.pid
    stop = f"process-compose process stop {shlex.quote(name)}" if name else f"kill {pid}"
    return Manager(kind="process-compose", name=name, pid=pid, stop_command=stop)


def _container(group: str) -> Manager | None:
    found = re.search(_CONTAINER, group)
    if found is None:
        return None
    kind, short = ("podman" if found["kind"] == "libpod" else "docker"), found["id"][:12]
    return Manager(kind=kind, name=short, pid=None, stop_command=f"{kind} stop {short}")


def unit_in(group: str) -> Manager | None:
    """Return the systemd service of a control group: `/system.slice/redis.service`."""
    if re.search(r"/(docker|libpod|lxc|kubepods)\b", group):
        return None  # a systemd inside a container, which cannot be reached from here
    system, of_user, below = group.partition("/user@")
    path = below if of_user else system
    unit = next((part for part in path.split("/")[bool(of_user) :] if part.endswith(".service")), None)
    if unit is None or re.match(_HOSTS, unit):
        return None
    name = unit.removesuffix(".service")
    control = "systemctl --user" if of_user else "systemctl" if os.geteuid() == 0 else "sudo systemctl"
    return Manager(kind="systemd", name=unit, pid=None, stop_command=f"{control} stop {shlex.quote(name)}")


def _runner(facts: ProcessFacts) -> Manager | None:
    program = program_of(facts)
    if program not in RUNNERS and _WATCHING.get(program) not in facts.command:
        return None
    pid = facts.identity.pid
    return Manager(kind=program, name="", pid=pid, stop_command=f"kill {pid}")


def program_of(facts: ProcessFacts) -> str:
    """Return the name of the program that a process runs; for an interpreter, the name of its script."""
    names = [word.split(":")[0].rpartition("/")[2] for word in facts.command if not word.startswith("-")]
    if len(names) > 1 and _interprets(names[0]) and _WATCHING.get(names[0]) not in facts.command:
        names = names[1:]
    return re.sub(r"\.(c?js|mjs|py|rb|exe)$", "", names[0]) if names else facts.name


def _interprets(name: str) -> bool:
    return name.rstrip("0123456789.") == "python" or name in _INTERPRETERS


def _children_of(pid: int) -> list[int]:
    return [child for child, stat in all_processes().items() if stat.parent == pid]


def _variables(child: ProcessFacts) -> Callable[[str], str]:
    return lambda name: variable_of(child.identity.pid, name) or ""
