"""The names that devinit gives: to its files in a checkout, to ports, to variables. Loads nothing."""

from __future__ import annotations

CONFIGURATION_FILE = "devinit.toml"
PORTS_FILE = ".ports.json"
"""The ports that services had last, by the name of the port."""
ENVIRONMENT_FILE = ".env.runtime"
DISCOVERY_FILE = ".backend-port.json"
"""Where the service called `backend` answers, unless `[discovery]` says otherwise."""
OWN_FOLDER = ".devinit"
"""What devinit keeps inside a checkout: the identity, and a .gitignore that covers both."""


def variable_prefix(port: str) -> str:
    """Return what the names of a service's variables begin with, or a port's: `my-api` → `MY_API`."""
    return "".join(letter if letter.isalnum() else "_" for letter in port).upper()


def port_variable(port: str) -> str:
    """Return the name of the variable with the number of a port: `my-api.debugger` → `MY_API_DEBUGGER_PORT`."""
    return f"{variable_prefix(port)}_PORT"


def extra_port(service: str, extra: str) -> str:
    """Return the name of a further port of a service: `web.hmr`. Its main port has the service's own name."""
    return f"{service}.{extra}"


def service_of(port: str) -> str:
    """Return the service that a port belongs to, by the port's name."""
    return port.partition(".")[0]


def is_extra(port: str) -> bool:
    """Tell whether a port is a further one of its service, by the port's name."""
    return "." in port
