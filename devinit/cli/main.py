"""Find the command, run it, and turn every error into a message, a hint and an exit code.

A command's module is imported only when that command is called: importing all of them would take longer than
`devinit status` may take to answer.
"""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper

from devinit.errors import DevinitError, Interrupted, Terminated, Termination, UsageError
from devinit.system import terminal
from devinit.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

COMMANDS = {
    "start": "bring services up, in order, on ports that work",
    "stop": "stop services, in reverse order",
    "restart": "stop services and bring them up with the current configuration",
    "status": "show what runs, and where",
    "dashboard": "watch what runs and what it prints, and act on it",
    "logs": "show what services print",
    "attach": "type into a service: a debugger, a question; its output beside it",
    "debug": "start a service again with a terminal for this run, and attach to it",
    "why": "explain the state of a service",
    "check": "ask services once whether they are well",
    "wait": "wait until services are live, or have failed",
    "events": "show what happens to the project, as it happens",
    "ports": "show, set and reset the services' ports",
    "metrics": "print ports, times and usage in numbers, for Prometheus",
    "env": "print the runtime environment",
    "client": "write the client for JavaScript into a frontend: addresses, live",
    "export": "write the project for another tool: compose, pm2, procfile, kubernetes ...",
    "run": "run a task, or a command in the runtime environment; alone it lists the tasks",
    "exec": "run a command as a service runs: its folder, environment and tools",
    "compose": "call the engine's own compose with the project's file on ports that work",
    "shell": "open a shell as a service runs, or in the runtime environment",
    "psql": "open psql on a database of the project",
    "redis-cli": "open redis-cli on a Redis of the project",
    "open": "open a service in the browser",
    "gateway": "show what is served by name",
    "doctor": "look for problems, and offer to fix them",
    "forget": "drop what the machine remembers of a stopped project",
    "init": "write a devinit.toml of what was detected",
    "schema": "print the JSON Schema of devinit.toml",
    "completion": "print a completion script for a shell",
}
"""Commands and their summaries; each is a module here with `EXAMPLE`, `configure(parser)` and `run(arguments)`."""

BECOMING = ("run", "exec", "compose", "psql", "redis-cli")
"""Commands that run another program, whose arguments follow their own."""
STARTING = ("start", "restart")
"""Commands that always need a supervisor."""
ACCEPTED = {
    "up": ("start",), "down": ("stop",), "ps": ("status",), "ls": ("status",), "list": ("status",),
    "log": ("logs",), "tail": ("logs", "-f"), "version": ("--version",),
}  # fmt: skip
"""Names of commands in other programs → our command, which does the same, and nothing more dangerous."""
SYNONYMS = {
    "top": "dashboard", "ui": "dashboard", "tui": "dashboard", "watch": "dashboard",
    "config": "init", "configure": "init", "new": "init", "create": "init", "detect": "init",
    "dev": "start", "serve": "start", "boot": "start", "setup": "start", "reload": "restart", "bounce": "restart",
    "kill": "stop", "halt": "stop", "health": "check", "info": "status", "explain": "why",
    "environment": "env", "browse": "open", "sh": "shell", "console": "shell",
    "diagnose": "doctor", "redis": "redis-cli",
}  # fmt: skip
"""Command names from other programs → the command of ours that the error message proposes."""
NEAR = 0.7
"""Similarity from which a command is proposed for an unknown word. With less, `setup` would match `stop`."""
BROKEN_PIPE = 141
"""128 + SIGPIPE, the exit code that shells report."""
OUTPUT_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""Errors of writing to standard output. Errors of our own files are caught, and name the file, elsewhere."""
TOO_MANY_OPEN = (errno.EMFILE, errno.ENFILE)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code of the program."""
    open_standard_streams()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = dispatch(list(words))
        # The last write may fail, too: the disk is full, or the reader is gone.
        sys.stdout.flush()
    except DevinitError as error:
        return fail(error, words)
    except KeyboardInterrupt:
        return interrupted(words)
    except Termination:
        return fail(Terminated("terminated"), words, silent=True)
    except BrokenPipeError:
        # As in `devinit logs | head`: the reader has closed the pipe.
        silence(1, 2)
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  the one broad catch: no traceback reaches a user
        if isinstance(error.__cause__, KeyboardInterrupt):
            # Python 3.11 wraps a KeyboardInterrupt that comes while a class is created, as in an import.
            return interrupted(words)
        return fail(unexpected(error), words)
    return code


def fail(error: DevinitError, words: list[str], *, silent: bool = False) -> int:
    """Print an error for its reader: a person, or a program that asked for JSON. Return the exit code."""
    try:
        if os.environ.get("DEVINIT_DEBUG") and not silent:
            import traceback

            cause = error.__cause__ if isinstance(error, Defect) else error
            terminal.write(
                sys.stderr, [plain(each).rstrip("\n") for each in traceback.format_exception(cause)]
            )
        if wants_json(words):
            print_error(error)
        if not silent:
            complain(error)
    except OSError:
        silence(1, 2)  # the reader of the error is gone, too
    return error.exit_code


def interrupted(words: list[str]) -> int:
    """Return the exit code for Ctrl-C; end the line with the `^C` in a terminal."""
    if sys.stderr.isatty():
        terminal.write(sys.stderr, [""])
    return fail(Interrupted("interrupted"), words, silent=True)


class Defect(DevinitError):
    """A defect of devinit."""


def unexpected(error: Exception) -> DevinitError:
    """Convert an uncaught error to one that can be shown."""
    if isinstance(error, OSError) and error.filename is None and error.errno in OUTPUT_LOST:
        silence(1)
        return DevinitError(f"the output cannot be written: {error.strerror}")
    if isinstance(error, OSError) and error.errno in TOO_MANY_OPEN:
        # It can occur anywhere, even in an import, so nothing is imported here (`system.files` has the same text).
        return DevinitError(
            f"devinit cannot go on: {error.strerror}",
            hint="`ulimit -n` shows how many files may be open; `ulimit -n 1024` in this shell raises that",
        )
    defect = Defect(
        f"devinit failed: {type(error).__name__}: {error}",
        hint="this is a defect of devinit; DEVINIT_DEBUG=1 shows where it happened",
    )
    defect.__cause__ = error
    return defect


def silence(*descriptors: int) -> None:
    """Redirect descriptors to /dev/null: otherwise Python reports the unwritten output when it exits."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


def wants_json(words: list[str]) -> bool:
    """Whether the command line asks for JSON; words after `--` or of a program that `run` runs do not count."""
    own = words[: words.index("--")] if "--" in words else words
    if ran := next((each for each in own if each in BECOMING), None):
        behind = own[own.index(ran) + 1 :]
        own = behind[: next((at for at, each in enumerate(behind) if not each.startswith("-")), len(behind))]
    return "--json" in own or "--json=summary" in own


def print_error(error: DevinitError) -> None:
    """Print an error as a JSON object, which a program gets instead of the result, or as the last event."""
    from devinit.cli.output import print_json

    # Conflicts are in the data of the supervisor's errors, or an attribute of our own errors.
    conflicts = getattr(error, "data", {}).get("conflicts") or getattr(error, "conflicts", ())
    print_json(
        {
            "type": "error",
            "kind": getattr(error, "kind", "") or type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
            **({"conflicts": list(conflicts)} if conflicts else {}),
        }
    )


def dispatch(words: list[str]) -> int:
    """Parse the options before the command, then pass the rest to the command's own parser."""
    directory: str | None = None
    first: list[str] = []
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-h", "--help"):
            terminal.data(overview())
            return 0
        if option in ("-V", "--version"):
            from devinit import __version__

            terminal.data(f"devinit {__version__}\n")
            return 0
        if option == "--json":
            first = [option]  # as if it followed the command
        elif option == "-C":
            if not words:
                raise UsageError("-C needs a folder", hint="example: devinit -C DIR status")
            directory = words.pop(0)
        elif option.startswith("-C"):
            directory = option.removeprefix("-C")
        else:
            raise UsageError(
                f"unknown option {option}", hint="`devinit --help` lists the options and commands"
            )
    if not words and first:
        raise UsageError("--json needs a command", hint="example: devinit status --json")
    if not words:
        terminal.data(overview())
        return 0
    name, *more = ACCEPTED.get(words[0], words[:1])
    if name.startswith("-"):
        return dispatch([name])
    return run_command(name, [*more, *first, *words[1:]], directory)


def run_command(name: str, words: list[str], directory: str | None) -> int:
    """Run a command. Raise UsageError for an unknown one."""
    if name == "help":
        return dispatch([*words[:1], "--help"])
    if name not in COMMANDS:
        refuse_command(name)
    if name == "start" and "--foreground" in words:
        from devinit.cli.leaving import until_left  # before the slow part, and only for this option

        return until_left(lambda: carry_out(name, words, directory))
    return carry_out(name, words, directory)


def carry_out(name: str, words: list[str], directory: str | None) -> int:
    """Parse a command's own arguments and run it."""
    if name in STARTING:
        start_early(words, directory)
    from devinit.cli.arguments import module_of, read

    module = module_of(name)
    try:
        arguments = read(module, name, words, directory)
    except SystemExit:
        return 0  # argparse has shown the help that was asked for
    code: int = module.run(arguments)
    return code


def start_early(words: list[str], directory: str | None) -> None:
    """Start a supervisor while the rest of the command is imported, if the arguments are certainly an order."""
    if any(word.startswith(("-C", "-h", "--h")) for word in words):
        return
    from devinit.config.find import find_root_as_text, may_have_services
    from devinit.control.spawning import begin

    root = find_root_as_text(directory or os.curdir)
    if root is not None and may_have_services(root):
        begin(root)


def refuse_command(name: str) -> NoReturn:
    """Raise UsageError for an unknown command, with the command that was probably meant."""
    # Imported here, so that only a mistyped command pays for it.
    from difflib import get_close_matches

    near = get_close_matches(name, (*COMMANDS, *ACCEPTED, *SYNONYMS), n=1, cutoff=NEAR)
    meant = meant_by(near[0]) if near else None
    hint = f"did you mean `devinit {meant}`?" if meant else "`devinit --help` lists the commands"
    raise UsageError(f"there is no command {name!r}", hint=hint)


def meant_by(word: str) -> str:
    """Return the command that a word stands for, as the user would type it."""
    return " ".join(ACCEPTED.get(word, (SYNONYMS.get(word, word),)))


def overview() -> str:
    """Return the text of `devinit --help`."""
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
    # The message of a supervisor that could not start already ends with a hint.
    first, *more = plain(error.message).splitlines() or [""]
    rest = [f"  {line}" for line in (*more, *plain(error.hint or "").splitlines())]
    terminal.write(sys.stderr, [f"{paint.bad('error:')} {first}", *rest])


def open_standard_streams() -> None:
    """Open the standard streams that were closed when we were started.

    Otherwise the next file that is opened becomes standard output, and receives the printed text.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    # A path may hold bytes that are not valid text: they are written unchanged. An 8-bit locale cannot encode
    # every character, and a question mark is better than no output.
    if isinstance(sys.stdout, TextIOWrapper):
        utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "replace")
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115  it lives as long as the program
    if sys.stdout is None:
        sys.stdout = open(1, "w")  # noqa: SIM115  as above
    if sys.stderr is None:
        sys.stderr = open(2, "w")  # noqa: SIM115  as above


if __name__ == "__main__":
    sys.exit(main())
