"""What a command of a Procfile does: where it runs, which program it is, and how it gets its port. Pure.

Only what is certain is changed: `cd FOLDER &&` at the beginning becomes the service's folder, and a port that is
written down becomes `${PORT}`, so that the service can move.
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
"""What makes a line more than commands one after the other."""
_SEPARATOR = re.compile(r"&&|;")
_PLAIN = r"""[^\s'"$`\\;|&<>()*?~!]"""
"""A character of a word that a shell takes as it is."""
_CHANGE = re.compile(rf"cd[ \t]+({_PLAIN}+)[ \t]*(?:&&|;)[ \t]*(?=\S)")
_ACTIVATION = re.compile(r"(?:source|\.)[ \t]+(?:\./)?(?:\.venv|venv)/bin/activate[ \t]*(?:&&|;)[ \t]*(?=\S)")
"""The environment in a service's folder is found without it, and `source` is no word of every shell."""
_CROSS_ENV = re.compile(r"(?<![^ \t;&])cross-env(?=[ \t]+[A-Za-z_]\w*=)")
"""A package of Node that does what `env` does, and that a folder of another language does not have."""
_USE = re.compile(r"\$(?:PORT\b|\{PORT\b(?::?[-=](\d{1,5})\})?)")
"""`$PORT`, `${PORT}`, `${PORT:-3000}`."""
_STATED = re.compile(
    r"""\A((?:(?:env|cross-env)[ \t]+)?(?:[A-Za-z_]\w*=[^\s'"`$&;|]*[ \t]+)*)PORT=(\d{1,5})[ \t]+(?=\S)"""
)
"""A port that a command gives itself: `PORT=3000 npm start`."""
_EXPORTED = re.compile(r"(?<![^ \t;&])export[ \t]+PORT=(\d{1,5})[ \t]*(?:&&|;)[ \t]*")
"""The same in a command before it."""
_BOUND = re.compile(r"(?<![\w/])(?:ssl|tcp)://[\w.-]{1,80}:(?P<port>\d{2,5})(?![\d$])")
"""The option in one word that says where Puma listens: `-b ssl://0.0.0.0:3001`."""
_ELSEWHERE = re.compile(rf"[ \t](?:--prefix|--cwd|--dir|-C)(?:=|[ \t]+)({_PLAIN}+)(?!\S)")
"""An option that makes a package manager work in another folder."""
_NAMED_OTHERWISE = re.compile(r"(?<!\S)(?:--port|--bind|-p|-b)(?![\w-])")
"""A port that is named in another form: nothing is put behind it."""
_WORD = re.compile(r"\S+")
_HOST = "--host 127.0.0.1 "
_SHELL_COMMAND = "-c"


class Command(Struct, frozen=True, kw_only=True):
    """A command as a service runs it."""

    text: str
    written: str = ""
    """The command with its own port option; that of a worker names the port of another process."""
    folder: str = ""
    """Relative to the Procfile's; empty for its own."""
    program: tuple[str, ...] = ()
    """The program of its last part without its folder, and the words after it; none when that is not plain."""
    serves: Server | None = None
    port: int | None = None
    """The port that the line names."""
    takes_port: bool = False
    """Whether it is known to listen on PORT."""
    uses_port: bool = False
    """Whether the line itself has `$PORT` in it."""
    is_fixed: bool = False
    """Whether the port that the line names stays in it, because not all of its words are certain."""
    variable: str | None = None
    """Another variable that its port is read from: `-p $API_PORT`."""
    own: str = ""
    """The same command with `${PORT}` in the place of that variable."""
    runs: ScriptRun | None = None
    """The scripts of package.json that it runs."""

    @property
    def script(self) -> str | None:
        """The script of package.json in its folder that it runs; None when it runs none, or others as well."""
        return self.runs.scripts[0] if self.runs is not None and self.runs.is_here else None


def understood(text: str) -> Command:
    """Return what a command does, as far as its words say it."""
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
    """Return a command that is known to take PORT when its words use it."""
    found = _USE.search(command.text)
    if found is None:
        return command
    named = int(found[1]) if found[1] and is_port(found[1]) else command.port
    return replace(command, takes_port=True, uses_port=True, port=named)


def is_port(digits: str) -> bool:
    """Return whether digits are a port."""
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT


def folder_of(text: str) -> tuple[str, str]:
    """Return where a command changes to before anything else, and what is left of it."""
    folders: list[str] = []
    while (found := _CHANGE.match(text)) is not None:
        if found[1].startswith(("/", "-")) or ".." in found[1].split("/"):
            break
        folders.append(found[1].rstrip("/"))
        text = text[found.end() :]
    return joined(*(each for each in folders if each != ".")), text


def joined(*folders: str) -> str:
    """Return the folder that one leads to from the other, as far as both are known."""
    return "/".join(each for each in folders if each)


def port_in(words: str) -> int | None:
    """Return the port that a script of package.json names; None when it names none, or not plainly."""
    start = _last_part(words)
    return understood(words[start:]).port if start is not None else None


def _plain(text: str) -> str:
    """Return a text of the same length in which nothing that is quoted can be taken for an operator."""
    return _QUOTED.sub(lambda found: "x" * len(found[0]), text)


def _last_part(text: str) -> int | None:
    """Return where the last of several commands begins; None when they are not plainly one after the other."""
    plain = _plain(text)
    if _OPAQUE.search(plain):
        return None
    start = max((found.end() for found in _SEPARATOR.finditer(plain)), default=0)
    return start + len(text[start:]) - len(text[start:].lstrip())


def _with_fixed_port(command: Command) -> Command:
    """Return a command with the port of its first program, where only that much is certain."""
    first = _first_program(command.text)
    if command.takes_port or first is None:
        return command
    inner = understood(first)
    server = inner.serves
    if server is not None and inner.port is None and not server.given:
        return replace(command, serves=server, takes_port=True)  # it reads PORT
    port = inner.port or (server.port if server is not None and inner.takes_port else None)
    if port is None or not inner.takes_port or inner.uses_port or inner.variable:
        return command
    return replace(command, port=port, takes_port=True, is_fixed=True)


def _first_program(text: str) -> str | None:
    """Return what a shell runs first of a command with a pipe or a subshell; None when that is not plain."""
    words = words_of(text)
    program = program_of(words)
    if program and program[0] in SHELLS and _SHELL_COMMAND in words[:-1]:
        return words[words.index(_SHELL_COMMAND) + 1]
    opaque = _OPAQUE.search(_plain(text), 1)
    if opaque is None or opaque[0] == "&":
        return None
    return text[: opaque.start()].strip(" \t({")


def _told(command: Command, head: str, part: str, server: Server) -> Command:
    """Return the command of a server with `${PORT}` where its port stands, or behind it."""
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
    """Return a command with `${PORT}` where its port stands; the command itself when it names none."""
    named = list(re.finditer(rf"(?<!\S){form}(?!\S)", part))
    if len(named) > 1:
        return replace(command, serves=None)  # one of them is something else
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
            return replace(command)
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
