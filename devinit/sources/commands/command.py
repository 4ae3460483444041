"""Parse one command of a list: its folder, its program and its port. Pure.

Only certain parts change: `cd FOLDER &&` at the beginning becomes the service's folder, and a literal port becomes
`${PORT}`, so that the service can move.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.sources.commands.programs import (
    SCRIPT_PORT,
    SHELLS,
    Server,
    port_form_of,
    program_of,
    server_of,
    words_of,
)
from devinit.sources.commands.script_runs import RUNNERS, ScriptRun, script_run
from devinit.toolchains.node.managers import MANAGERS

PORT = "${PORT}"
_QUOTED = re.compile(r"""'[^']*'|"[^"\\]*"|\\.""", re.DOTALL)
_OPAQUE = re.compile(r"[|()`\n<]|(?<![>&])&(?!&)|\$\(")
"""Matches syntax beyond a sequence of commands, such as a pipe or a subshell."""
_SEPARATOR = re.compile(r"&&|;")
_PLAIN = r"""[^\s'"$`\\;|&<>()*?~!]"""
"""Matches a character that a shell takes literally."""
_CHANGE = re.compile(rf"cd[ \t]+({_PLAIN}+)[ \t]*(?:&&|;)[ \t]*(?=\S)")
_ACTIVATION = re.compile(r"(?:source|\.)[ \t]+(?:\./)?(?:\.venv|venv)/bin/activate[ \t]*(?:&&|;)[ \t]*(?=\S)")
"""Matches the activation of a virtual environment: devinit finds it anyway, and not every shell knows `source`."""
_CROSS_ENV = re.compile(r"(?<![^ \t;&])cross-env(?=[ \t]+[A-Za-z_]\w*=)")
"""A Node package that does what `env` does, and that a folder of another language does not have."""
_USE = re.compile(r"\$(?:PORT\b|\{PORT\b(?::?[-=](\d{1,5})\})?)")
"""Matches `$PORT`, `${PORT}` and `${PORT:-3000}`."""
_STATED = re.compile(
    r"""\A((?:(?:env|cross-env)[ \t]+)?(?:[A-Za-z_]\w*=[^\s'"`$&;|]*[ \t]+)*)PORT=(\d{1,5})[ \t]+(?=\S)"""
)
"""Matches a port that a command sets for itself: `PORT=3000 npm start`."""
_EXPORTED = re.compile(r"(?<![^ \t;&])export[ \t]+PORT=(\d{1,5})[ \t]*(?:&&|;)[ \t]*")
"""Matches the same as a separate command before it."""
_BOUND = re.compile(r"(?<![\w/])(?:ssl|tcp)://[\w.-]{1,80}:(?P<port>\d{2,5})(?![\d$])")
"""Matches the word in which Puma takes its address: `-b ssl://0.0.0.0:3001`."""
_ELSEWHERE = re.compile(rf"[ \t](?:--prefix|--cwd|--dir|-C)(?:=|[ \t]+)({_PLAIN}+)(?!\S)")
"""Matches an option that makes a package manager work in another folder."""
_NAMED_OTHERWISE = re.compile(r"(?<!\S)(?:--port|--bind|-p|-b)(?![\w-])")
"""Matches a port option in an unknown form: no second one is added."""
_WORD = re.compile(r"\S+")
_HOST = "--host 127.0.0.1 "
_SHELL_COMMAND = "-c"


class Command(Struct, frozen=True, kw_only=True):
    """A command as a service runs it."""

    text: str
    written: str = ""
    """The command with its original port option; for a worker, that names the port of another process."""
    folder: str = ""
    """Relative to the folder of the list; empty for that folder."""
    program: tuple[str, ...] = ()
    """Program of the last part, without its folder, and its arguments; empty when unclear."""
    serves: Server | None = None
    port: int | None = None
    """The port in the command."""
    takes_port: bool = False
    """Whether the program is known to listen on PORT."""
    uses_port: bool = False
    """Whether the command itself contains `$PORT`."""
    is_fixed: bool = False
    """Whether its port stays a literal, because parts of the command are unclear."""
    variable: str | None = None
    """Another variable that holds its port: `-p $API_PORT`."""
    own: str = ""
    """The command with `${PORT}` in place of that variable."""
    runs: ScriptRun | None = None
    """The scripts of package.json that it runs."""

    @property
    def script(self) -> str | None:
        """The only script that it runs in its own folder; None when it runs none, several, or one elsewhere."""
        return self.runs.scripts[0] if self.runs is not None and self.runs.is_here else None


def understood(text: str) -> Command:
    """Return a command in parsed form."""
    folder, rest = folder_of(text)
    rest = _ACTIVATION.sub("", rest, count=1) if _ACTIVATION.match(rest) else rest
    rest = _CROSS_ENV.sub("env", rest)
    start = _last_part(rest)
    if start is None:
        return _with_fixed_port(with_use(Command(text=rest, written=rest, folder=folder)))
    head, part = rest[:start], rest[start:]
    port, written = None, rest
    if (exported := _EXPORTED.search(head)) is not None and is_port(exported[1]):
        port, head = int(exported[1]), head[: exported.start()] + head[exported.end() :]
    if (stated := _STATED.match(part)) is not None and is_port(stated[2]):
        port, part = int(stated[2]), stated[1] + part[stated.end() :]
    program = program_of(words_of(part))
    command = Command(
        text=head + part,
        written=written,
        folder=folder,
        port=port,
        program=tuple(program),
        takes_port=port is not None,
    )
    if program and program[0] in MANAGERS:
        return _of_a_script(command, head, part)
    if program and program[0] in RUNNERS:
        return with_use(replace(command, runs=script_run(program)))
    server = server_of(program)
    command = replace(command, serves=server)
    if _USE.search(part):
        return with_use(command)
    if program[:1] and program[0] in SHELLS:
        return _with_fixed_port(command)
    if server is not None:
        return _told(command, head, part, server)
    form = port_form_of(program)
    return _named(command, head, part, form) if form and port is None else command


def with_use(command: Command) -> Command:
    """Return a command that uses PORT in its text as one that takes the port."""
    found = _USE.search(command.text)
    if found is None:
        return command
    named = int(found[1]) if found[1] and is_port(found[1]) else command.port
    return replace(command, takes_port=True, uses_port=True, port=named)


def is_port(digits: str) -> bool:
    """Return whether digits are a valid port."""
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT


def folder_of(text: str) -> tuple[str, str]:
    """Return the folder that a command changes to first, and the rest of the command."""
    folders: list[str] = []
    while (found := _CHANGE.match(text)) is not None:
        if found[1].startswith(("/", "-")) or ".." in found[1].split("/"):
            break
        folders.append(found[1].rstrip("/"))
        text = text[found.end() :]
    return joined(*(each for each in folders if each != ".")), text


def joined(*folders: str) -> str:
    """Return the path of folders inside each other; empty parts are skipped."""
    return "/".join(each for each in folders if each)


def port_in(words: str) -> int | None:
    """Return the port in a script of package.json; None when there is none, or when it is unclear."""
    start = _last_part(words)
    return understood(words[start:]).port if start is not None else None


def _plain(text: str) -> str:
    """Return a text of the same length with quoted parts masked, so that they contain no operators."""
    return _QUOTED.sub(lambda found: "x" * len(found[0]), text)


def _last_part(text: str) -> int | None:
    """Return the position of the last command in a sequence; None when the text is no plain sequence."""
    plain = _plain(text)
    if _OPAQUE.search(plain):
        return None
    start = max((found.end() for found in _SEPARATOR.finditer(plain)), default=0)
    return start + len(text[start:]) - len(text[start:].lstrip())


def _with_fixed_port(command: Command) -> Command:
    """Return a command that may contain a pipe or a subshell, with the fixed port of its first program."""
    first = _first_program(command.text)
    if command.takes_port or first is None:
        return command
    inner = understood(first)
    server = inner.serves
    if server is not None and inner.port is None and not server.given:
        return replace(command, serves=server, takes_port=True)  # the server reads PORT
    port = inner.port or (server.port if server is not None and inner.takes_port else None)
    if port is None or not inner.takes_port or inner.uses_port or inner.variable:
        return command
    return replace(command, port=port, takes_port=True, is_fixed=True)


def _first_program(text: str) -> str | None:
    """Return the first program in a command with a pipe or a subshell; None when it is unclear."""
    words = words_of(text)
    program = program_of(words)
    if program and program[0] in SHELLS and _SHELL_COMMAND in words[:-1]:
        return words[words.index(_SHELL_COMMAND) + 1]
    opaque = _OPAQUE.search(_plain(text), 1)
    if opaque is None or opaque[0] == "&":
        return None
    return text[: opaque.start()].strip(" \t({")


def _told(command: Command, head: str, part: str, server: Server) -> Command:
    """Return the command of a server with `${PORT}` in place of its port, or with a port option added."""
    bound = _BOUND.search(part)
    if bound is not None and is_port(bound["port"]):
        text = head + part[: bound.start("port")] + PORT + part[bound.end("port") :]
        return replace(command, text=text, port=int(bound["port"]), takes_port=True)
    told = _named(command, head, part, server.form)
    if told is not command or _NAMED_OTHERWISE.search(part):
        return told
    if not server.given:
        return replace(command, takes_port=True)
    given = server.given.replace(_HOST, "") if "--host" in command.program else server.given
    return replace(command, text=f"{head}{part} {given}", takes_port=True)


def _named(command: Command, head: str, part: str, form: str) -> Command:
    """Return a command with `${PORT}` in place of its port; the same command when it names none."""
    named = list(re.finditer(rf"(?<!\S){form}(?!\S)", part))
    if len(named) > 1:
        return replace(command, serves=None)  # one of them is not the port
    for found in named:
        group = next(group for group in ("port", "name", "braced") if found[group] is not None)
        start, end = found.span(group)
        if group == "braced":
            start, end = part.rfind("${", 0, start), part.index("}", end) + 1
        elif group == "name":
            start -= 1
        own = head + part[:start] + PORT + part[end:]
        if group != "port":
            usual = int(found["usual"]) if found["usual"] and is_port(found["usual"]) else None
            return replace(command, variable=found[group], own=own, port=usual, takes_port=True)
        if not is_port(found["port"]):
            return replace(command)  # a copy: the caller sees that a port option exists
        return replace(command, text=own, port=int(found["port"]), takes_port=True)
    return command


def _of_a_script(command: Command, head: str, part: str) -> Command:
    """Return a command that runs a script of package.json, in the folder that its options name."""
    found = _ELSEWHERE.search(part)
    if found is not None and ".." not in found[1].split("/") and not found[1].startswith("/"):
        part = part[: found.start()] + part[found.end() :]
        folder = joined(command.folder, found[1].rstrip("/"))
        written = _ELSEWHERE.sub("", command.written, count=1)
        command = replace(command, text=head + part, written=written, folder=folder)
    program = program_of(words_of(part))
    run = script_run(program)
    command = replace(command, program=tuple(program), runs=run)
    if run is None or _USE.search(part) or not run.arguments or command.port is not None:
        return with_use(command)
    start = next((word.end() for word in _WORD.finditer(part) if word[0] == run.scripts[0]), len(part))
    return _named(command, head + part[:start], part[start:], SCRIPT_PORT)
