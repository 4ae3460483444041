"""All errors that users can see, each with what happened, what to do next and an exit code.

    DevinitError                     1
    ├── UsageError                   2   the command line is wrong
    ├── ConfigError                  2   devinit.toml, a .env file or the project's shape is wrong
    │   ├── NoProject                2   no project in this folder or above it, or nothing to start in it
    │   └── StateFileError           2   .ports.json, state.json or another file of ours cannot be read or written
    ├── PortError                    3   a port could not be had
    │   ├── PortConflict             3   the port is taken and may not, or could not, be replaced
    │   │   └── PortQuestion         3   the user has to decide about taken ports; a client answers and asks again
    │   └── PortsExhausted           3   no free port in the range
    ├── ServiceError                 1   a service could not be prepared, started or kept up
    │   └── ProviderError            1   its provider lacks a binary, or found data that it must not touch
    ├── SupervisorError              5   the supervisor could not be reached or started
    ├── CommandNotRunnable       126   `devinit run`: the command cannot be executed
    ├── CommandNotFound          127   `devinit run`: there is no such command (126, 127: as shells say it)
    ├── Interrupted                130   Ctrl-C
    └── Terminated                 143   SIGTERM

A start with a service that is not ready in time exits with 4, without an error: it reports every service.

This module imports nothing, so that the fastest command can raise and show an error.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class DevinitError(Exception):
    """An error with what happened to what (`message`), what to do next (`hint`), and the process's exit code."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DevinitError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(DevinitError):
    """A file that the developer writes is invalid."""

    exit_code = 2


class NoProject(ConfigError):
    """Neither this folder nor one above it contains anything to start."""


class StateFileError(ConfigError):
    """A file that devinit writes cannot be read or written; the error names it, and it is left unchanged."""

    path = ""
    """devinit's own folder, if that is what cannot be used."""


class PortError(DevinitError):
    """No port could be obtained."""

    exit_code = 3


class PortConflict(PortError):
    """A port is taken, and moving or killing was not allowed or not possible."""

    def __init__(self, message: str, *, hint: str | None = None, conflicts: Sequence[object] = ()) -> None:
        super().__init__(message, hint=hint)
        self.conflicts = tuple(conflicts)
        """The facts about the ports, for callers that read them: types of model.port, not imported here."""


class PortQuestion(PortConflict):
    """Ports are taken and the user has to decide: the error carries the facts, the client sends the answers."""


class PortsExhausted(PortError):
    """Every port of a range was tried."""


class ServiceError(DevinitError):
    """A service could not be prepared, started or kept up."""


class PreparationFailed(ServiceError):
    """A command before a service's start failed: its `setup`, or its `before_start`."""

    def __init__(self, message: str, *, command: str, code: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.command, self.code = command, code


class ProviderError(ServiceError):
    """A provider lacks a binary, or found data that it must not touch."""


class SupervisorError(DevinitError):
    """The supervisor could not be reached or started."""

    exit_code = 5


class CommandNotRunnable(DevinitError):
    """The command of `devinit run` exists but cannot be executed."""

    exit_code = 126


class CommandNotFound(DevinitError):
    """The command does not exist."""

    exit_code = 127


class Interrupted(DevinitError):
    """The user pressed Ctrl-C."""

    exit_code = 130


class Terminated(DevinitError):
    """The command got SIGTERM."""

    exit_code = 143


class Termination(BaseException):
    """SIGTERM in a command that handles it: the counterpart of KeyboardInterrupt for Ctrl-C."""
