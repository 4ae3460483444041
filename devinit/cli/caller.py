"""The environment of a command, as it goes to the supervisor and on to the services."""

from __future__ import annotations

import os

from devinit.cli.output import talk

SET_FOR_A_PAGE = (
    "TEXTUAL_DRIVER",
    "TEXTUAL_FPS",
    "TEXTUAL_COLOR_SYSTEM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "COLUMNS",
    "ROWS",
)
"""Variables that textual-serve sets for the dashboard in a browser, and that no service should get."""


def is_in_browser() -> bool:
    """Whether this process is the dashboard in a browser, which has no terminal."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver:")


def caller_environment() -> dict[str, str]:
    """Return the environment that services inherit, without variables that JSON cannot carry (not UTF-8)."""
    environment = dict(os.environ)
    for name, value in os.environ.items():
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            del environment[name]
            talk(f"{name!a} of the environment is not UTF-8 text: services do not get it")
    if is_in_browser():
        return {name: value for name, value in environment.items() if name not in SET_FOR_A_PAGE}
    return environment
