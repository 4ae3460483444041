"""The environment that a command was called in, as it goes to the supervisor and on to the services."""

from __future__ import annotations

import os

from devinit.cli.output import talk


def caller_environment() -> dict[str, str]:
    """Return our environment, which services inherit, without what is no text: JSON cannot carry that."""
    environment = dict(os.environ)
    for name, value in os.environ.items():
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            del environment[name]
            talk(f"{name!a} of the environment is not UTF-8 text: services do not get it")
    return environment
