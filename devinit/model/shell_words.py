"""Commands of interactive shells that a service cannot run, with replacements. Pure.

A service has no interactive shell, and sh runs its command, so shell functions and bash keywords do not work.
"""

from __future__ import annotations

BASH = frozenset({"source", "[[", "pushd", "popd", "shopt", "declare", "let", "mapfile", "readarray"})
FUNCTIONS = {
    "nvm": "`. ~/.nvm/nvm.sh && nvm use VERSION && …`",
    "conda": "`conda run --no-capture-output -n NAME …`",
    "mamba": "`mamba run -n NAME …`",
    "micromamba": "`micromamba run -n NAME …`",
    "workon": "`PATH_TO_THE_ENVIRONMENT/bin/python …`",
    "rvm": "`rvm VERSION do …`",
    "sdk": "`. ~/.sdkman/bin/sdkman-init.sh && sdk use … && …`",
    "deactivate": "no `deactivate` at all: each command has an environment of its own",
}
"""Replacements for functions of interactive shells."""
ACTIVATION = "CondaError: Run 'conda init'"


def advice_about(word: str) -> str | None:
    """Return advice about a word of an interactive shell that a service cannot run; None for other words."""
    if word == "source":
        return (
            "`source` is a word of bash, and sh runs this: write `.` instead, or `bash -c '…'`. A virtual "
            "environment needs neither: .venv/bin of the service and of the project come first in its PATH"
        )
    if word in BASH:
        return f"`{word}` is a word of bash, and sh runs this: write `bash -c '…'`"
    if word in FUNCTIONS:
        return (
            f"`{word}` is a function of your interactive shell, and no program: use it there before "
            f"`devinit start`, whose environment services have, or write {FUNCTIONS[word]}"
        )
    return None


def windows_line_ends(script: str) -> str:
    """Return the message about a script whose lines end with a carriage return, with advice."""
    from shlex import quote  # it loads re, for an error only

    return (
        f"{script} has Windows line ends (CRLF), which neither the system nor a shell can read: "
        f"`sed -i 's/\\r$//' {quote(script)}`, and `*.sh text eol=lf` in .gitattributes for good"
    )
