"""Replacement of this process by another program, as with a shell's `exec`: its exit code and signals apply."""

from __future__ import annotations

import os
import signal

from devinit.errors import CommandNotFound, CommandNotRunnable

OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to all processes in the foreground."""
HANDED_ON = (signal.SIGTERM, signal.SIGHUP)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn


def become(
    words: Sequence[str],
    environment: dict[str, str],
    directory: str | None = None,
    *,
    hint: str | None = None,
) -> NoReturn:
    """Replace this process by a program, in `directory` if given.

    `hint`: replaces the hint about the searched places if the program does not exist. Raise CommandNotFound or
    CommandNotRunnable.
    """
    enter(directory, environment)
    # Python ignores SIGPIPE, and programs inherit that: `devinit run -- yes | head -1` would complain.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program = words[0]
    try:
        os.execvpe(program, [*words], environment)  # noqa: S606  without a shell: that is the point
    except OSError as error:
        raise refused(program, environment, error, hint) from None


def run_to_end(words: Sequence[str], environment: dict[str, str], directory: str | None = None) -> int:
    r"""Run a program at the caller's terminal; return its exit code, or 128 + the signal that ended it.

    Ctrl-C and Ctrl-\ at the terminal reach the program directly; SIGTERM and SIGHUP are forwarded to it. After a
    signal to devinit itself the result is never 0, even if the program exits with 0, so that nothing follows it.
    """
    import subprocess  # most commands replace this process

    children: list[subprocess.Popen[bytes]] = []
    got: list[int] = []
    waiting: list[int] = []

    def send_waiting() -> None:
        while waiting and children:
            children[0].send_signal(waiting.pop(0))

    def hand_on(number: int, _frame: object) -> None:
        got.append(number)
        if number in HANDED_ON:
            # The program may be running before `Popen` returns: then the signal waits for that.
            waiting.append(number)
            send_waiting()

    here = environment if directory is None else {**environment, "PWD": directory}
    kept = {number: signal.getsignal(number) for number in (*OF_THE_TERMINAL, *HANDED_ON)}
    for number, before in kept.items():
        if before is not signal.SIG_IGN:
            # A handler instead of SIG_IGN, which the program would inherit.
            signal.signal(number, hand_on)
    try:
        children.append(subprocess.Popen(words, env=here, cwd=directory))
        send_waiting()
        code = children[0].wait()
    except OSError as error:
        raise refused(words[0], here, error) from None
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
    if code == 0 and got:
        return 128 + got[-1]
    return code if code >= 0 else 128 - code


def enter(directory: str | None, environment: dict[str, str]) -> None:
    """Change into a folder, and set PWD as a shell does. Raise CommandNotRunnable."""
    if directory is None:
        return
    try:
        os.chdir(directory)
    except OSError as error:
        raise CommandNotRunnable(f"{directory} cannot be entered: {error.strerror}") from None
    environment["PWD"] = directory


def refused(
    program: str, environment: Mapping[str, str], error: OSError, hint: str | None = None
) -> CommandNotFound | CommandNotRunnable:
    """Return the error for a program that the system refused to run."""
    if not is_there(program, environment.get("PATH")):
        return CommandNotFound(f"{program}: there is no such command", hint=hint or where(program))
    return CommandNotRunnable(f"{program} cannot be run: {error.strerror}")


def path_with(path: str | None, folders: Sequence[str]) -> str:
    """Return a PATH with folders appended, so that the system's programs win."""
    parts = [os.defpath] if path is None else [path] if path else []
    present = os.pathsep.join(parts).split(os.pathsep)
    return os.pathsep.join([*parts, *(folder for folder in folders if folder not in present)])


def is_there(program: str, path: str | None) -> bool:
    """Whether a program exists: the system also denies permission when a folder on PATH cannot be entered."""
    from shutil import which  # only a failure needs it

    return os.path.exists(program) if "/" in program else which(program, os.F_OK, path) is not None  # noqa: PTH110


def where(program: str) -> str:
    """Return a hint that names the places where the program was looked for."""
    if "/" in program:
        return f"looked for in {os.getcwd()}"  # noqa: PTH109  pathlib takes long to load
    return "it was looked for on PATH; `devinit run -- sh -c '...'` runs a line of shell"
