"""Facts about programs that their names tell: servers, databases, workers, wrappers. Pure."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

_PORT = (
    r"(?:(?P<port>\d{1,5})|\$(?P<name>[A-Za-z_]\w*)|\$\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<usual>\d{1,5}))?\})"
)

SCRIPT_PORT = rf"(?:--port|-p)(?:=|[ \t]+|(?<=-p)){_PORT}"
"""The usual form of a port option."""
_LONG_PORT = rf"--port(?:=|[ \t]+){_PORT}"


class Server(Struct, frozen=True):
    """A program that serves, and the way to set its port."""

    port: int
    """Its default port."""
    given: str = ""
    """Option to add when a command names no port; empty when the program reads PORT or takes no option."""
    form: str = SCRIPT_PORT
    """Pattern of the port in its command: a number or a variable."""
    commands: frozenset[str] = frozenset()
    """Subcommands that start a server; empty when every one does."""
    others: frozenset[str] = frozenset()
    """Subcommands that start no server, where all others do."""


_BIND = rf"(?:--bind|-b)(?:=|[ \t]+)(?:[\w.-]*|\[[0-9a-f:]*\]):{_PORT}"
_FLAG = "--port ${PORT}"
_ADDRESS = rf"(?:[\w.-]+|\[[0-9a-f:]*\]):{_PORT}"
_POSITIONAL = rf"(?:[\w.-]*:|\[[0-9a-f:]*\]:)?{_PORT}"

_SERVE = frozenset({"serve", "server", "s"})

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
        5173, "--host 127.0.0.1 --port ${PORT} --strictPort", others=frozenset({"build", "optimize"})
    ),
    "next": Server(3000, commands=frozenset({"dev", "start"})),
    "nuxt": Server(3000, commands=frozenset({"dev"})),
    "astro": Server(4321, _FLAG, commands=frozenset({"dev"})),
    "ng": Server(4200, _FLAG, commands=frozenset({"serve"})),
    "react-scripts": Server(3000, commands=frozenset({"start"})),
    "artisan": Server(8000, _FLAG, commands=frozenset({"serve"})),
    "php": Server(8000, "", rf"-S[ \t]+{_ADDRESS}", commands=frozenset({"-S"})),
    "jekyll": Server(4000, _FLAG, rf"(?:--port|-P)(?:=|[ \t]+|(?<=-P)){_PORT}", _SERVE),
    "celery": Server(5555, _FLAG, commands=frozenset({"flower"})),
    "streamlit": Server(
        8501,
        "--server.port ${PORT} --server.headless true",
        rf"--server\.port(?:=|[ \t]+){_PORT}",
        frozenset({"run"}),
    ),
    "mkdocs": Server(
        8000, "--dev-addr 127.0.0.1:${PORT}", rf"(?:--dev-addr|-a)(?:=|[ \t]+){_ADDRESS}", _SERVE
    ),
    "hugo": Server(1313, _FLAG, commands=_SERVE),
    "middleman": Server(4567, _FLAG, commands=_SERVE),
    "thin": Server(3000, _FLAG, commands=frozenset({"start"})),
    "vue-cli-service": Server(8080, "--host 127.0.0.1 --port ${PORT}", commands=_SERVE),
    "react-router": Server(5173, _FLAG, commands=frozenset({"dev"})),
    "remix": Server(3000, _FLAG, commands=frozenset({"vite:dev"})),
    "gatsby": Server(8000, _FLAG, commands=frozenset({"develop"})),
    "webpack": Server(8080, _FLAG, commands=_SERVE),
    "webpack-dev-server": Server(8080, _FLAG),
    "parcel": Server(1234, _FLAG, others=frozenset({"build", "watch"})),
    "wrangler": Server(8787, _FLAG, commands=frozenset({"dev"})),
    "storybook": Server(6006, "--port ${PORT} --exact-port --no-open", commands=frozenset({"dev"})),
    "rsbuild": Server(3000, _FLAG, commands=frozenset({"dev"})),
    "vinxi": Server(3000, _FLAG, commands=frozenset({"dev"})),
    "vitepress": Server(5173, _FLAG, commands=frozenset({"dev"})),
    "docusaurus": Server(3000, _FLAG, commands=frozenset({"start"})),
    "sanity": Server(3333, _FLAG, commands=frozenset({"dev"})),
    "ember": Server(4200, _FLAG, commands=_SERVE),
    "craco": Server(3000, commands=frozenset({"start"})),
    "nest": Server(3000, commands=frozenset({"start"})),
    "mix": Server(4000, commands=frozenset({"phx.server"})),
    "hanami": Server(2300, _FLAG, commands=_SERVE),
    "unicorn": Server(8080, _FLAG),
    "http-server": Server(8080, _FLAG),
    "json-server": Server(3000, _FLAG),
    "live-server": Server(8080, "--port=${PORT} --no-browser", rf"--port={_PORT}"),
    "serve": Server(3000, "-l ${PORT}", rf"(?:--listen|-l|--port|-p)(?:=|[ \t]+){_PORT}"),
}
"""Program, or script of an interpreter → how it serves. Programs that read PORT get no option."""

DATABASES = {"redis-server": "redis", "valkey-server": "redis", "postgres": "postgres", "pg_ctl": "postgres"}
"""Program → the kind of service that devinit runs instead."""

ENDS_OTHERS = re.compile(r"(?<![\w./-])(?:fuser|pkill|killall|kill-port|kill)(?![\w./-])")
"""Matches programs that end processes by name or port, which may belong to another project."""
CONTAINERS = frozenset({"docker", "docker-compose", "podman", "podman-compose", "nerdctl"})
MANAGERS = frozenset(
    {"foreman", "overmind", "honcho", "hivemind", "goreman", "mprocs", "process-compose", "pm2", "devinit"}
)
"""Programs that start the processes of a list of their own."""
CONSOLES = frozenset({"console", "shell", "repl"})
"""Names of processes that are interactive."""
SHELLS = frozenset({"bash", "sh", "zsh", "fish", "irb", "pry", "ipython", "bpython", "psql", "redis-cli"})

BUILT_BY = frozenset(
    {("next", "start"), ("nuxt", "start"), ("nuxt", "preview"), ("vite", "preview"), ("astro", "preview")}
    | {("gatsby", "serve"), ("docusaurus", "serve")}
)
"""Programs with the subcommand that runs their last build."""
SERVES_BUILT = frozenset({"serve", "react-router-serve", "remix-serve"})
OUTPUT = frozenset({"dist", "build", ".output", ".next", "out"})
"""Folders that builds write to."""

PHONES = {"expo": "Expo", "react-native": "React Native", "cap": "Capacitor", "cordova": "Cordova"}
"""Interactive programs whose application runs on a phone or in its simulator."""

SERVING_NAMES = frozenset({"web", "api", "backend", "server", "frontend"})
"""Names of processes that answer requests: on Heroku, only `web` gets a port."""
WORKING_NAMES = re.compile(
    r"worker|job|queue|cron|clock|schedul|beat|watch|css|(?:^|[-_])js|asset|tailwind|webpack|esbuild|build"
    r"|sidekiq|celery|rq|log|release|mail|stripe|ngrok|tunnel"
)
"""Matches names of processes that answer no requests."""
BUILDERS = re.compile(r"css|(?:^|[-_])js|asset|tailwind|webpack|esbuild|build|watch")
"""Matches names of processes that build files for others and use no database."""
BROWSER_SERVERS = frozenset(
    {"vite", "ng", "react-scripts", "craco", "vue-cli-service", "webpack", "webpack-dev-server", "parcel"}
    | {"storybook", "vitepress", "docusaurus", "gatsby", "ember", "rsbuild", "sanity"}
)
"""Servers of pages that run in the browser; they use no database."""
_BUILDING = frozenset(
    {
        "tsup",
        "tsc",
        "tsc-watch",
        "vue-tsc",
        "tsdown",
        "swc",
        "unbuild",
        "postcss",
        "tailwindcss",
        "esbuild",
        "sass",
    }
    | {
        "rollup",
        "microbundle",
        "babel",
        "bunchee",
        "pkgroll",
        "svelte-package",
        "ng-packagr",
        "rslib",
        "webpack",
    }
)
_WORKERS = _BUILDING | {
    "celery", "rq", "arq", "dramatiq", "huey_consumer", "taskiq", "saq", "sidekiq", "resque", "good_job", "guard",
    "stripe", "ngrok",
}  # fmt: skip

_CLIENTS = frozenset(
    {"ssh", "curl", "wget", "nc", "netcat", "ncat", "telnet", "mysql", "mongo", "mongosh", "redis-benchmark"}
    | {
        "pg_isready",
        "cloudflared",
        "lt",
        "localtunnel",
        "browser-sync",
        "locust",
        "k6",
        "wait-on",
        "open-cli",
    }
)
"""Programs whose port option names the port of a server that they connect to."""
_NO_LISTENERS = _CLIENTS | _WORKERS | SHELLS | CONTAINERS | MANAGERS | DATABASES.keys() | SERVERS.keys()
_SCRIPT_ENDINGS = (".py", ".rb", ".php", ".js", ".mjs", ".cjs", ".ts", ".mts")

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
    "cross-env": (),
    "cross-env-shell": (),
    "env-cmd": (),
    "dotenvx": ("run",),
    "nodemon": (),
    "nohup": (),
    "exec": (),
}
"""Program → its subcommands that run another program; empty when it always does."""
_MIGRATING = {
    "prisma": ("migrate", "push"),
    "drizzle-kit": ("push", "migrate"),
    "sequelize": ("db:migrate",),
    "sequelize-cli": ("db:migrate",),
    "typeorm": ("migration:run", "schema:sync"),
    "knex": ("migrate:latest",),
    "mikro-orm": ("migration:up",),
}
"""Program → its subcommands that change the schema of a database."""
_RUN_BINARIES = frozenset({"yarn", "pnpm", "bun"})
"""Package managers that run an installed program by its name alone: `yarn vite`."""
_BINARIES = (SERVERS.keys() | _BUILDING) - {"serve", "php"} | {
    "concurrently", "conc", "npm-run-all", "run-p", "run-s", "turbo", "nx", "lerna", "nodemon", "tsx", "ts-node",
    "ts-node-dev", "cross-env", "dotenv", "dotenvx", "env-cmd", "wait-on", "electron", "node", "prisma",
    "drizzle-kit",
}  # fmt: skip
_INTERPRETERS = re.compile(r"(?:python|ruby|php|node|bun|deno|tsx|ts-node|ts-node-dev|tsnd)[\d.]*")
_VALUED = frozenset(
    {
        "-f",
        "-e",
        "-u",
        "--file",
        "--env-file",
        "--watch",
        "-w",
        "--ext",
        "--ignore",
        "-i",
        "--delay",
        "--project",
    }
)
"""Options of wrappers whose value is the next word."""
_INSTALLED = (".bin", "env/bin")
"""Endings of folders with installed programs: any other `bin/vite` is a script of the project."""
_OF_THE_FRAMEWORK = frozenset({"rails", "manage.py", "artisan"})
"""Scripts in a project that its framework has generated."""
_ASSIGNMENT = re.compile(r"\A[A-Za-z_]\w*=.*", re.DOTALL)


LONGEST_COMMAND = 2_000
"""In characters. No handwritten command is longer, and parsing longer ones takes much time."""


def words_of(command: str) -> list[str]:
    """Return the words of a command; none when it cannot be parsed or is too long."""
    try:
        return shlex.split(command) if len(command) <= LONGEST_COMMAND else []
    except ValueError:
        return []


def program_of(words: list[str]) -> list[str]:
    """Return the program of a command and its arguments; for an interpreter, the script that it runs."""
    left = list(words)
    while left:
        word = _name_of(left[0])
        if _ASSIGNMENT.fullmatch(left[0]) or word == "--":
            left = left[1:]
        elif word in _WRAPPERS and (not _WRAPPERS[word] or (len(left) > 1 and left[1] in _WRAPPERS[word])):
            left = _without_options(left[2 if _WRAPPERS[word] else 1 :])
        elif word in _RUN_BINARIES and left[1:] and left[1] in _BINARIES:
            left = left[1:]
        elif _INTERPRETERS.fullmatch(word) and len(left) > 1:
            rest = left[1:]
            if word == "tsx" and rest[0] == "watch":
                rest = rest[1:] or rest
            if rest[0] == "-m":
                return rest[1:]
            if rest[0].startswith("-") or (word == "bun" and "." not in rest[0]):
                return [word, *rest]
            return [_name_of(rest[0]), *rest[1:]]
        else:
            return [word, *left[1:]]
    return []


def _name_of(program: str) -> str:
    """Return a program without its folder; with it for a script of the project, which may do anything."""
    folder, _, name = program.rpartition("/")
    is_known = (
        not folder or folder.startswith("/") or folder.endswith(_INSTALLED) or name in _OF_THE_FRAMEWORK
    )
    return name if is_known else program


def _without_options(words: list[str]) -> list[str]:
    """Return the words after the options of a wrapper."""
    if words and words[0].startswith("-") and "--" in words:
        return words[words.index("--") + 1 :]
    place = 0
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in _VALUED else 1
    return words[place:]


def server_of(program: list[str]) -> Server | None:
    """Return how a program serves; None when it does not serve or is unknown."""
    found = SERVERS.get(program[0]) if program else None
    if found is None or found.others.intersection(program[1:]):
        return None
    if not found.commands:
        return found
    bare = len(program) == 1 or program[1].startswith("-")
    return found if found.commands.intersection(program[1:]) or (bare and "" in found.commands) else None


def port_form_of(program: list[str]) -> str | None:
    """Return the form of the port option of an unknown program; None when its port may be another server's.

    `-p` has many meanings, but few for a script of the project.
    """
    name = program[0] if program else ""
    if not name or name in _NO_LISTENERS or WORKING_NAMES.search(name.lower()):
        return None
    return SCRIPT_PORT if name.endswith(_SCRIPT_ENDINGS) else _LONG_PORT


def builds(program: list[str]) -> bool:
    """Return whether a program builds files that others serve or import."""
    name = program[0] if program else ""
    return (
        name in _BUILDING
        or (name in SERVERS and "build" in program[1:])
        or (name == "next" and "build" in program)
    )


def migrates(program: list[str]) -> bool:
    """Return whether a program changes the schema of a database and then ends."""
    return bool(program) and any(word in _MIGRATING.get(program[0], ()) for word in program[1:])


def asks_before_it_migrates(program: list[str]) -> bool:
    """Return whether such a program asks questions, or may empty the database."""
    if program[:1] != ["prisma"]:
        return False
    return program[1:3] in (["migrate", "dev"], ["migrate", "reset"]) or "--force-reset" in program


def is_watching(program: list[str]) -> bool:
    """Return whether a build program keeps running after a build."""
    return program[:1] == ["tsc-watch"] or any(
        word in ("--watch", "watch", "dev", "--stub=watch") or re.fullmatch(r"-[a-z]{0,3}w", word)
        for word in (each.partition("=")[0] for each in program[1:])
    )


def watches_files(program: list[str]) -> bool:
    """Return whether an unknown program watches files and runs no file of the project."""
    runs_a_file = any(word.endswith(_SCRIPT_ENDINGS) for word in program)
    return not runs_a_file and any(word in ("--watch", "-w") for word in program[1:])


def only_works(name: str, program: list[str]) -> bool:
    """Return whether a process is known to answer no requests."""
    return (
        bool(WORKING_NAMES.search(name.lower()))
        or builds(program)
        or bool(program and program[0] in _WORKERS)
    )
