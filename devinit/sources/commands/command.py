"""What a command of a Procfile does: where it runs, which program it is, and how it gets its port. Pure.

Only what is certain is changed: `cd FOLDER &&` at the beginning becomes the service's folder, and a port that is
written down becomes `${PORT}`, so that the service can move.
"""

from __future__ import annotations

import re
import shlex

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.sources.commands.programs import Server, program_of, server_of

PORT = "${PORT}"
_QUOTED = re.compile(r"""'[^']*'|"[^"\\]*"|\\.""", re.DOTALL)
_OPAQUE = re.compile(r"[|()`\n<]|(?<![>&])&(?!&)|\$\(")
"""What makes a line more than commands one after the other."""
_SEPARATOR = re.compile(r"&&|;")
_PLAIN = r"""[^\s'"$`\\;|&<>()*?~!]"""
"""A character of a word that a shell takes as it stands."""
_CHANGE = re.compile(rf"cd[ \t]+({_PLAIN}+)[ \t]*(?:&&|;)[ \t]*(?=\S)")
_USE = re.compile(r"\$(?:PORT\b|\{PORT\b(?::?[-=](\d{1,5})\})?)")
"""`$PORT`, `${PORT}`, `${PORT:-3000}`."""
_STATED = re.compile(r"""\A((?:env[ \t]+)?(?:[A-Za-z_]\w*=[^\s'"`$&;|]*[ \t]+)*)PORT=(\d{1,5})[ \t]+(?=\S)""")
"""A port that a command gives itself: `PORT=3000 npm start`."""
_ELSEWHERE = re.compile(rf"[ \t](?:--prefix|--cwd|--dir|-C)(?:=|[ \t]+)({_PLAIN}+)(?!\S)")
"""An option that makes a package manager work in another folder."""
_NAMED_OTHERWISE = re.compile(r"(?<!\S)(?:--port|--bind|-p|-b)(?![\w-])")
"""A port that is named in another form: nothing is put behind it."""
_HOST = "--host 127.0.0.1 "
PACKAGE_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_NO_SCRIPTS = frozenset(
    {"exec", "dlx", "install", "ci", "add", "workspace", "workspaces", "x", "create", "init"}
)


class Command(Struct, frozen=True, kw_only=True):
    """A command as a service runs it."""

    text: str
    written: str = ""
    """The same with the port that it gives itself, which is another process's where it only works."""
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
    variable: str | None = None
    """Another variable that its port is read from: `-p $API_PORT`."""
    script: str | None = None
    """The script of package.json that it runs, without arguments of its own."""


def understood(text: str) -> Command:
    """Return what a command does, as far as its words say it."""
    folder, rest = _folder_of(text)
    start = _last_part(rest)
    if start is None:
        return with_use(Command(text=rest, written=rest, folder=folder))
    head, part = rest[:start], rest[start:]
    port, written = None, rest
    if (stated := _STATED.match(part)) is not None and is_port(stated[2]):
        port, part = int(stated[2]), stated[1] + part[stated.end() :]
    program = program_of(words_of(part))
    if program and program[0] in PACKAGE_MANAGERS:
        command = Command(text=head + part, written=written, folder=folder, port=port, program=tuple(program))
        return _of_a_script(command, head, part)
    server = server_of(program)
    command = Command(
        text=head + part,
        written=written,
        folder=folder,
        program=tuple(program),
        serves=server,
        port=port,
        takes_port=port is not None,
    )
    if server is None or _USE.search(part):
        return with_use(command)
    return _told(command, head, part, server)


def with_use(command: Command) -> Command:
    """Return a command that is known to take PORT when its words use it."""
    found = _USE.search(command.text)
    if found is None:
        return command
    named = int(found[1]) if found[1] and is_port(found[1]) else command.port
    return replace(command, takes_port=True, uses_port=True, port=named)


def is_port(digits: str) -> bool:
    """Tell whether digits are a port."""
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT


def words_of(command: str) -> list[str]:
    """Return the words of a command; none when they cannot be told."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def port_in(words: str) -> int | None:
    """Return the port that a script of package.json names; None when it names none, or not plainly."""
    start = _last_part(words)
    return understood(words[start:]).port if start is not None else None


def _folder_of(text: str) -> tuple[str, str]:
    """Return where a command changes to before anything else, and what is left of it."""
    folders: list[str] = []
    while (found := _CHANGE.match(text)) is not None:
        if found[1].startswith(("/", "-")) or ".." in found[1].split("/"):
            break
        folders.append(found[1].rstrip("/"))
        text = text[found.end() :]
    return "/".join(each for each in folders if each != "."), text


def _last_part(text: str) -> int | None:
    """Return where the last of several commands begins; None when they are not plainly one after the other."""
    plain = _QUOTED.sub(lambda found: "x" * len(found[0]), text)
    if _OPAQUE.search(plain):
        return None
    start = max((found.end() for found in _SEPARATOR.finditer(plain)), default=0)
    return start + len(text[start:]) - len(text[start:].lstrip())


def _told(command: Command, head: str, part: str, server: Server) -> Command:
    """Return the command of a server with `${PORT}` where its port stands, or behind it."""
    named = list(re.finditer(rf"(?<!\S){server.form}(?!\S)", part))
    if len(named) > 1:
        return replace(command, serves=None)  # one of them is something else
    for found in named:
        variable = found["name"] or found["braced"]
        if variable is not None:
            usual = int(found["usual"]) if found["usual"] and is_port(found["usual"]) else None
            return replace(command, variable=variable, port=usual, takes_port=True)
        if not is_port(found["port"]):
            return command
        text = part[: found.start("port")] + PORT + part[found.end("port") :]
        return replace(command, text=head + text, port=int(found["port"]), takes_port=True)
    if _NAMED_OTHERWISE.search(part):
        return command
    if not server.given:
        return replace(command, takes_port=True)
    given = server.given.replace(_HOST, "") if "--host" in command.program else server.given
    return replace(command, text=f"{head}{part} {given}", takes_port=True)


def _of_a_script(command: Command, head: str, part: str) -> Command:
    """Return a command that runs a script of package.json, in the folder that its options name."""
    found = _ELSEWHERE.search(part)
    if found is not None and ".." not in found[1].split("/") and not found[1].startswith("/"):
        part = part[: found.start()] + part[found.end() :]
        folder = "/".join(each for each in (command.folder, found[1].rstrip("/")) if each)
        written = _ELSEWHERE.sub("", command.written, count=1)
        command = replace(command, text=head + part, written=written, folder=folder)
    words = [word for word in program_of(words_of(part))[1:] if word not in ("-s", "--silent", "--quiet")]
    if words[:1] in (["run"], ["run-script"]):
        words = words[1:]
    is_script = len(words) == 1 and not words[0].startswith("-") and words[0] not in _NO_SCRIPTS
    return with_use(
        replace(command, script=words[0] if is_script else None, takes_port=command.port is not None)
    )
