"""What the program of a line is, as far as its name says it. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

_PORT = (
    r"(?:(?P<port>\d{1,5})|\$(?P<name>[A-Za-z_]\w*)|\$\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<usual>\d{1,5}))?\})"
)


class Server(Struct, frozen=True):
    """A program that serves, and how it is given its port."""

    port: int
    """Where it listens when nothing is said."""
    given: str = ""
    """What is put behind its command when that names no port; nothing where it reads PORT, or cannot be told."""
    form: str = rf"(?:--port|-p)(?:=|[ \t]+|(?<=-p)){_PORT}"
    """How a command names its port: a number, or a variable."""
    commands: frozenset[str] = frozenset()
    """Which of its commands serve; all of them when there are none."""


_BIND = rf"(?:--bind|-b)(?:=|[ \t]+)(?:[\w.-]*|\[[0-9a-f:]*\]):{_PORT}"
_FLAG = "--port ${PORT}"
_POSITIONAL = rf"(?:[\w.-]*:|\[[0-9a-f:]*\]:)?{_PORT}"

SERVERS: dict[str, Server] = {
    "uvicorn": Server(8000, _FLAG),
    "fastapi": Server(8000, _FLAG, commands=frozenset({"dev", "run"})),
    "hypercorn": Server(8000, "--bind 127.0.0.1:${PORT}", _BIND),
    "granian": Server(8000, _FLAG),
    "gunicorn": Server(8000, "", _BIND),
    "flask": Server(5000, _FLAG, commands=frozenset({"run"})),
    "daphne": Server(8000, _FLAG),
    "litestar": Server(8000, _FLAG, commands=frozenset({"run"})),
    "manage.py": Server(
        8000, "127.0.0.1:${PORT}", _POSITIONAL, commands=frozenset({"runserver", "runserver_plus"})
    ),
    "http.server": Server(8000, "${PORT}", _POSITIONAL),
    "rails": Server(3000, commands=frozenset({"server", "s"})),
    "puma": Server(3000),
    "rackup": Server(9292, _FLAG),
    "vite": Server(
        5173, "--host 127.0.0.1 --port ${PORT} --strictPort", commands=frozenset({"", "dev", "serve"})
    ),
    "next": Server(3000, commands=frozenset({"dev", "start"})),
    "nuxt": Server(3000, commands=frozenset({"dev"})),
    "astro": Server(4321, _FLAG, commands=frozenset({"dev"})),
    "ng": Server(4200, _FLAG, commands=frozenset({"serve"})),
    "react-scripts": Server(3000, commands=frozenset({"start"})),
    "artisan": Server(8000, _FLAG, commands=frozenset({"serve"})),
}
"""Program, or the script that its interpreter runs → how it serves. What reads PORT is given nothing."""

DATABASES = {"redis-server": "redis", "valkey-server": "redis", "postgres": "postgres", "pg_ctl": "postgres"}
"""Program → the kind of service that devinit runs in its place."""

ENDS_OTHERS = re.compile(r"(?<![\w./-])(?:fuser|pkill|killall|kill-port|kill)(?![\w./-])")
"""What ends processes by a name or a port: they may be another project's."""
CONTAINERS = frozenset({"docker", "docker-compose", "podman", "podman-compose", "nerdctl"})
MANAGERS = frozenset(
    {"foreman", "overmind", "honcho", "hivemind", "goreman", "mprocs", "process-compose", "pm2", "devinit"}
)
"""What starts processes of its own list."""
CONSOLES = frozenset({"console", "shell", "repl"})
"""Names of processes in which a person works."""
SHELLS = frozenset({"bash", "sh", "zsh", "fish", "irb", "pry", "ipython", "bpython", "psql", "redis-cli"})

SERVING_NAMES = frozenset({"web", "api", "backend", "server", "frontend"})
"""Names of processes that answer requests: `web` is the only one that Heroku gives a port."""
WORKING_NAMES = re.compile(
    r"worker|job|queue|cron|clock|schedul|beat|watch|css|(?:^|[-_])js|asset|tailwind|webpack|esbuild|build"
    r"|sidekiq|celery|rq|log|release|mail|stripe|ngrok|tunnel"
)
"""In names of processes that only work: nothing asks them anything."""
BUILDERS = re.compile(r"css|(?:^|[-_])js|asset|tailwind|webpack|esbuild|build|watch")
"""In names of processes that build what others serve: they use no database."""
BROWSER_SERVERS = frozenset({"vite", "ng", "react-scripts"})
"""What serves pages that are carried out in the browser: it uses no database."""
_WORKERS = frozenset(
    {"celery", "rq", "arq", "dramatiq", "huey_consumer", "taskiq", "saq", "sidekiq", "resque", "good_job"}
    | {"tsup", "swc", "unbuild", "postcss"}
    | {"tailwindcss", "esbuild", "sass", "tsc", "webpack", "rollup", "guard", "stripe", "ngrok"}
)

_WRAPPERS = {
    "bundle": ("exec",),
    "uv": ("run",),
    "poetry": ("run",),
    "pipenv": ("run",),
    "pdm": ("run",),
    "rye": ("run",),
    "hatch": ("run",),
    "pnpm": ("exec",),
    "yarn": ("exec",),
    "rbenv": ("exec",),
    "mise": ("exec", "x"),
    "doppler": ("run",),
    "op": ("run",),
    "dotenv": (),
    "npx": (),
    "bunx": (),
    "env": (),
    "exec": (),
    "nohup": (),
}
"""Program → its commands that run another program; none: it always does."""
_INTERPRETERS = re.compile(r"(?:python|ruby|php|node|bun|deno|tsx)[\d.]*")
_INSTALLED = (".bin", "env/bin")
"""How the folders of installed programs end: a `bin/vite` is the project's own script."""
_OF_THE_FRAMEWORK = frozenset({"rails", "manage.py", "artisan"})
"""Scripts of a project that its framework has made."""
_ASSIGNMENT = re.compile(r"\A[A-Za-z_]\w*=.*", re.DOTALL)


def program_of(words: list[str]) -> list[str]:
    """Return a command's program by its name, and the words after it; of an interpreter, what it runs."""
    left = list(words)
    while left:
        word = _name_of(left[0])
        if _ASSIGNMENT.fullmatch(left[0]) or word == "--":
            left = left[1:]
        elif word in _WRAPPERS and (not _WRAPPERS[word] or (len(left) > 1 and left[1] in _WRAPPERS[word])):
            left = _without_options(left[2 if _WRAPPERS[word] else 1 :])
        elif _INTERPRETERS.fullmatch(word) and len(left) > 1:
            rest = left[1:]
            if rest[0] == "-m":
                return rest[1:]
            if rest[0].startswith("-"):
                return [word, *rest]
            return [_name_of(rest[0]), *rest[1:]]
        else:
            return [word, *left[1:]]
    return []


def _name_of(program: str) -> str:
    """Return a program without its folder; with it, when it is a script of the project that may do anything."""
    folder, _, name = program.rpartition("/")
    is_known = (
        not folder or folder.startswith("/") or folder.endswith(_INSTALLED) or name in _OF_THE_FRAMEWORK
    )
    return name if is_known else program


def _without_options(words: list[str]) -> list[str]:
    """Return what follows the options of a wrapper; one with a value is understood before `--` alone."""
    if words and words[0].startswith("-") and "--" in words:
        return words[words.index("--") + 1 :]
    count = next((count for count, word in enumerate(words) if not word.startswith("-")), len(words))
    return words[count:]


def server_of(program: list[str]) -> Server | None:
    """Return how a program serves; None when it does not, or is not known."""
    found = SERVERS.get(program[0]) if program else None
    if found is None or not found.commands:
        return found
    bare = len(program) == 1 or program[1].startswith("-")
    return found if found.commands.intersection(program[1:]) or (bare and "" in found.commands) else None


def only_works(name: str, program: list[str]) -> bool:
    """Tell whether a process is known to answer no requests."""
    return bool(WORKING_NAMES.search(name.lower())) or bool(program and program[0] in _WORKERS)
