"""devinit's names for keys of docker compose, process-compose and Kubernetes, for users of these programs.

The nearest key by spelling would often be a wrong one: `start_period` is not `strict_port`.
"""

from __future__ import annotations

from devinit.config.schema import ConfigurationFile, Layer, ServiceTable
from devinit.config.tables import (
    HealthTable,
    LogsTable,
    ReadyTable,
    RestartTable,
    StopTable,
    Table,
    TaskTable,
)

_RUNS_PROGRAMS = (
    "`command` starts a program, `provider` a PostgreSQL or Redis of its own, and provider = 'docker' a container "
    "of an image, never with rights on this machine"
)
_ONE_MACHINE = "services run on this machine, in the project's folder: nothing is mounted or connected"
_AS_READY = "a check begins when the service is ready; `ready.timeout` limits the time before"
_SERVICE = {
    **dict.fromkeys(("deploy", "pull_policy", "privileged"), _RUNS_PROGRAMS),
    **dict.fromkeys(("networks", "network_mode", "extra_hosts"), _ONE_MACHINE),
    "container_name": "the name of its table is the name of the service: [services.NAME]",
    "profiles": "`autostart = false` leaves it out of a start without names; "
    "what a profile changes stands in [profiles.PROFILE.services.NAME]",
    "ports": "its preferred port is `port`, further ones are `extra_ports`",
    "expose": "its preferred port is `port`, further ones are `extra_ports`",
    **dict.fromkeys(("environment", "env_vars", "vars"), "devinit calls it `env`"),
    "discovery": "[discovery] at the top of the file names it: NAME of the service = file",
    "secrets": "values that are not to be committed stand in a file that `env_file` names",
    **dict.fromkeys(
        ("working_dir", "working_directory", "workdir", "cwd", "dir"), "devinit calls it `directory`"
    ),
    **dict.fromkeys(
        ("entrypoint", "cmd", "cmdline", "exec", "run", "script", "args"), "devinit calls it `command`"
    ),
    **dict.fromkeys(("restart_policy", "availability", "autorestart"), "devinit calls it `restart`"),
    **dict.fromkeys(
        ("healthcheck", "health_check"),
        "`ready` says how its start is proven, `health` how it is asked later",
    ),
    "readiness_probe": "devinit calls it `ready`",
    "liveness_probe": "devinit calls it `health`",
    "interval": "devinit calls it `health.every`",
    "retries": "devinit calls it `health.failures`",
    "timeout": "`ready.timeout` limits its start, `health.timeout` one check",
    "start_period": "devinit calls it `ready.timeout`",
    "ready_log_line": "devinit calls it `ready.log`",
    **dict.fromkeys(
        ("links", "depends", "dependencies", "needs", "wait_for"), "devinit calls it `depends_on`"
    ),
    "logging": "devinit calls it `logs`",
    "log_location": "`devinit logs NAME --path` shows where its output is kept",
    "stop_signal": "devinit calls it `stop.signal`",
    **dict.fromkeys(("stop_grace_period", "shutdown_timeout"), "devinit calls it `stop.grace`"),
    "shutdown": "devinit calls it `stop`",
    "disabled": "`autostart = false` leaves it out of a start without names",
    "enabled": "`autostart = false` leaves it out of a start without names",
    "pre_start": "devinit calls it `before_start`",
    **dict.fromkeys(("replicas", "scale"), "a service runs once; give another one a table of its own"),
    "type": "devinit calls it `provider`",
}
_HEALTH = {
    **dict.fromkeys(("interval", "period_seconds"), "devinit calls it `every`"),
    **dict.fromkeys(("retries", "failure_threshold"), "devinit calls it `failures`"),
    "success_threshold": "one check that succeeds is enough",
    **dict.fromkeys(("start_period", "initial_delay_seconds", "initial_delay"), _AS_READY),
    "timeout_seconds": "devinit calls it `timeout`",
    **dict.fromkeys(("test", "cmd", "command"), "devinit calls it `exec`"),
    **dict.fromkeys(("path", "url", "http_get"), "devinit calls it `http`, and it takes a path"),
}
_READY = {
    **dict.fromkeys(
        ("start_period", "retries", "failure_threshold", "timeout_seconds"), "devinit calls it `timeout`"
    ),
    **dict.fromkeys(
        ("interval", "period_seconds", "initial_delay_seconds", "initial_delay"),
        "a start is asked at once and often; `timeout` limits its time",
    ),
    **dict.fromkeys(("test", "cmd", "command"), "devinit calls it `exec`"),
    **dict.fromkeys(("path", "url", "http_get"), "devinit calls it `http`, and it takes a path"),
    "log_line": "devinit calls it `log`",
}
_RESTART = {
    **dict.fromkeys(("policy", "condition"), "devinit calls it `mode`"),
    **dict.fromkeys(
        ("max_restarts", "max_attempts", "max_retries", "retries"), "devinit calls it `failures`"
    ),
    **dict.fromkeys(("delay", "backoff_seconds"), "the delay grows by itself with each failure"),
}
_STOP = {
    **dict.fromkeys(
        ("timeout", "timeout_seconds", "shutdown_timeout", "grace_period", "stop_grace_period"),
        "devinit calls it `grace`",
    ),
}
_LOGS = {
    "max_size": "devinit calls it `size`",
    **dict.fromkeys(("max_file", "max_files"), "devinit calls it `count`"),
}
_TASK = {
    **dict.fromkeys(
        ("run", "cmd", "cmds", "commands", "exec", "script", "shell"), "devinit calls it `command`"
    ),
    **dict.fromkeys(("deps", "depends", "dependencies", "needs", "pre"), "devinit calls it `depends_on`"),
    **dict.fromkeys(
        ("dir", "cwd", "workdir", "working_dir", "working_directory"), "devinit calls it `directory`"
    ),
    **dict.fromkeys(("desc", "help", "summary"), "devinit calls it `description`"),
    **dict.fromkeys(
        ("env", "environment", "env_file"), "a task has the environment of the project, or of its `service`"
    ),
}
_FILE = {
    "version": "a devinit.toml has none",
    "name": "the project's name stands in [project]",
    **dict.fromkeys(("scripts", "commands"), "devinit calls them `tasks`: [tasks.NAME]"),
    "actions": "an action is a task: [tasks.NAME] has `label`, `confirm` and `key` for the dashboard",
    "processes": "devinit calls them `services`: [services.NAME]",
    **dict.fromkeys(("env", "vars"), "devinit calls it `environment`"),
    **dict.fromkeys(("volumes", "networks"), _ONE_MACHINE),
    "secrets": "values that are not to be committed stand in a file that `env_file` of a service names",
}
BORROWED: dict[type[Table], dict[str, str]] = {
    ConfigurationFile: _FILE,
    Layer: _FILE,
    ServiceTable: _SERVICE,
    HealthTable: _HEALTH,
    ReadyTable: _READY,
    RestartTable: _RESTART,
    StopTable: _STOP,
    LogsTable: _LOGS,
    TaskTable: _TASK,
}
"""The advice for keys that a table does not have, by key with `_` instead of `-`."""

VALUES = {
    "unless-stopped": "always",
    "unless_stopped": "always",
    "on_failure": "on-failure",
    "no": "never",
    "service_started": "started",
    "process_started": "started",
    "service_healthy": "ready",
    "process_healthy": "ready",
    "healthy": "ready",
    "service_completed_successfully": "completed",
    "process_completed": "completed",
    "process_completed_successfully": "completed",
}
"""devinit's values of `restart` and `depends_on`, by the values of other programs."""


def written_here(key: str, table: type) -> str | None:
    """Return the advice for a key of another program in a table; None for any other key."""
    # A table extended with the keys of kinds of services is a subclass of one of these.
    known = next((BORROWED[base] for base in table.__mro__ if base in BORROWED), {})
    return known.get(key.lower().replace("-", "_"))
