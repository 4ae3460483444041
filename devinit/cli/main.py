"""Find the command, run it, and turn every error into a message, a hint and an exit code.

A command's module is imported only when it is asked for: `devinit status` must answer in the time that
importing everything else would take.
"""

from __future__ import annotations

import os
import sys

from devinit.errors import DevinitError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

COMMANDS = {
    "start": "bring services up, in order, on ports that work",
    "stop": "stop services, in reverse order",
    "restart": "stop services and bring them up with the configuration of now",
    "status": "show what runs, and where",
    "logs": "show what services print",
    "why": "explain the state of a service",
    "ports": "show, set and reset the services' ports",
    "env": "print the runtime environment",
    "run": "run a command in the runtime environment",
    "init": "write a devinit.toml of what was detected",
    "schema": "print the JSON Schema of devinit.toml",
    "completion": "print a completion script for a shell",
}
"""Each is a module of this package with `EXAMPLE`, `configure(parser)` and `run(arguments)`."""

INTERRUPTED = 130
INTERNAL_ERROR = 1
BROKEN_PIPE = 141


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code of the program."""
    open_standard_streams()
    try:
        return dispatch(sys.argv[1:] if arguments is None else arguments)
    except DevinitError as error:
        debug(error)
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
    except BrokenPipeError:
        # `devinit logs | head`: the reader has enough. Nothing may be flushed to it at exit any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  the one broad catch: no traceback reaches a user
        debug(error)
        complain(
            DevinitError(
                f"devinit failed: {type(error).__name__}: {error}",
                hint="this is a defect of devinit; DEVINIT_DEBUG=1 shows where it happened",
            )
        )
        return INTERNAL_ERROR


def dispatch(words: list[str]) -> int:
    """Read what stands before the command, then hand the rest to the command's own parser."""
    directory: str | None = None
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-h", "--help"):
            sys.stdout.write(overview())
            return 0
        if option in ("-V", "--version"):
            from devinit import __version__

            sys.stdout.write(f"devinit {__version__}\n")
            return 0
        if option == "-C" and words:
            directory = words.pop(0)
        elif option.startswith("-C") and len(option) > len("-C"):
            directory = option.removeprefix("-C")
        else:
            raise UsageError(f"unknown option {option}", hint="see `devinit --help`")
    if not words:
        sys.stdout.write(overview())
        return 0
    return run_command(words[0], words[1:], directory)


def run_command(name: str, words: list[str], directory: str | None) -> int:
    """Parse a command's own options and run it."""
    if name == "help":
        return dispatch([*words[:1], "--help"])
    if name not in COMMANDS:
        refuse_command(name)
    # Imported here: argparse and the command's module are all that this run needs.
    from argparse import ArgumentParser, RawDescriptionHelpFormatter
    from importlib import import_module

    module = import_module(f"devinit.cli.{name}")
    parser = ArgumentParser(
        prog=f"devinit {name}",
        description=module.__doc__,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", default=directory, help="work on the project in DIR"
    )
    module.configure(parser)
    code: int = module.run(parser.parse_args(words))
    sys.stdout.flush()
    return code


def refuse_command(name: str) -> NoReturn:
    """Say that there is no such command, and which was probably meant."""
    # Imported here: only a mistake pays for it.
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    hint = f"did you mean `devinit {near[0]}`?" if near else "`devinit --help` lists the commands"
    raise UsageError(f"there is no command {name!r}", hint=hint)


def overview() -> str:
    """Return what `devinit --help` shows."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: devinit [-C DIR] COMMAND [OPTIONS]",
            "",
            "One command brings a web stack up on ports that work, and keeps it up.",
            "",
            "commands:",
            *lines,
            "",
            "options:",
            "  -C DIR         work on the project in DIR instead of the current folder",
            "  -V, --version  print the version",
            "  -h, --help     print this; `devinit COMMAND --help` explains a command",
            "",
            "example:",
            "  devinit start all",
            "",
        ]
    )


def complain(error: DevinitError) -> None:
    """Write an error and what to do next to the standard error stream."""
    from devinit.cli.output import Paint

    paint = Paint(sys.stderr)
    sys.stderr.write(f"{paint.bad('error:')} {error.message}\n")
    for line in (error.hint or "").splitlines():
        sys.stderr.write(f"  {line}\n")


def debug(error: Exception) -> None:
    """Show where an error came from, to whoever asked for it."""
    if os.environ.get("DEVINIT_DEBUG"):
        import traceback

        traceback.print_exception(error)


def open_standard_streams() -> None:
    """Open the standard streams that we were started without.

    Otherwise the next file that is opened becomes standard output, and receives what is printed.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115  it lives as long as the program
    if sys.stdout is None:
        sys.stdout = open(1, "w")  # noqa: SIM115  as above
    if sys.stderr is None:
        sys.stderr = open(2, "w")  # noqa: SIM115  as above


if __name__ == "__main__":
    sys.exit(main())
