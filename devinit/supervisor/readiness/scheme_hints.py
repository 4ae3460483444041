"""Signs of TLS in a service's files and output: reasons to expect it, or only to test for it.

To expect TLS is to publish a URL before the service runs. If that is wrong, other services are restarted for the
right one; so only files to which the service's own command leads count. To test for it is to greet a server that
listens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from devinit.errors import StateFileError
from devinit.model.service import Scheme
from devinit.supervisor.readiness.tls_files import has_tls_files
from devinit.system.files import read_text
from devinit.text import harmless

if TYPE_CHECKING:
    from devinit.model.service import Service

WORDS = ("https", "ssl", "tls", "cert")
"""Without one of these words there is no hint, and no pattern to compile: that takes 0.3 ms of a start."""
HINTS = (
    r"(?i)(?<![\w-])--[\w-]{0,60}?(?:https|ssl|tls|cert)|\bHTTPS=(?:true|1)|basic-?ssl|mkcert"
    r"""|\b(?:https|ssl)["']?\s*:(?!//)(?!\s*(?:false|null|undefined)\b)"""
    r"|\bssl://"
)
"""Hints in a command line, a script or the configuration of a dev server: `uvicorn --ssl-certfile`, `next dev
--https`, `HTTPS=true react-scripts start`, Vite's `basicSsl()`, `server: { https: {…} }`, Angular's `"ssl":
true`, Puma's `-b ssl://…`.
"""
IN_CODE = (
    r"\b(?:load_cert_chain|wrap_socket|createSecureServer|https\.createServer|tls\.createServer|(?:ListenAnd)?ServeTLS)\s*\("
    r"|\b(?:ssl_(?:context|certfile|keyfile)|ssl_cert(?:ificate)?)\s*="
    r"|\bcreateServer\b[^;\n]{0,80}[\"'](?:node:)?https[\"']"
    r"|\b(?:https|tls)\s*:\s*\{"
)
"""Hints in the file of a server: `context.load_cert_chain(…)`, `https.createServer(…)`, `Bun.serve({ tls: {…}
})`.
"""
CODE = (".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".go", ".rb")
MOST_WORDS = 20
"""How many words of a command are examined for the file that it runs."""
SERVERS = frozenset({"vite", "nuxt", "vue", "webpack", "astro", "svelte"})
"""Dev servers that are configured in `NAME.config.js`, or another ending, in the folder of a service."""
ENDINGS = ("js", "ts", "mjs", "mts", "cjs", "cts")
SCRIPT = r"\b(?:npm|pnpm|yarn|bun)\s+(?:run(?:-script)?\s+)?([\w:.-]+)"
"""Matches the script of package.json that a command runs."""
SCRIPTS_DEEP = 3
"""How many scripts may run one another: `npm start`, `npm run dev`, `npm run dev:web`."""
COMMENT = r"(?m)^[ \t]*(?://|#).*$"
LARGEST_FILE = 200_000


class _Package(msgspec.Struct, frozen=True):
    """The relevant part of a package.json."""

    scripts: dict[str, str] = msgspec.field(default_factory=dict)


def expects_tls(service: Service) -> bool:
    """Return whether a service's command leads to TLS: by its options, its script's, or its dev server's file."""
    texts = list(_commands(service))
    if any(map(_hints, texts)):
        return True
    return any(
        _hints(_without_comments(text)) for text in _configurations_of(" ".join(texts), service.directory)
    )


def is_configured_for_tls(service: Service) -> bool:
    """Return whether any file in a service's folder suggests TLS, including the file that it runs.

    That is reason enough to greet it. Without a reason no server is greeted, because one without TLS may log an
    error.
    """
    return (
        _hints(service.command or "")
        or any(map(_hints, _configurations(service.directory)))
        or any(map(_serves_tls, _programs(service)))
        or any(_hints(_without_comments(text)) for text in _scripts_of_shells(service))
        or has_tls_files(service)
    )


def says_https(output: str, port: int) -> bool:
    """Return whether a service prints an https address on its port."""
    return Scheme.HTTPS in schemes_said(output, port)


def says_another(output: str, port: int, scheme: Scheme) -> bool:
    """Return whether the last address on its port that a service prints has another scheme than this one."""
    return schemes_said(output, port)[-1:] not in ([], [scheme])


def schemes_said(output: str, port: int) -> list[str]:
    """Return the schemes of the addresses on a port in a text, in order. Vite prints the number in bold."""
    if "://" not in output:
        return []
    return re.findall(rf"\b(https?)://[^\s/]*:{port}\b", harmless(output))


def _hints(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in WORDS) and re.search(HINTS, text) is not None


def _serves_tls(code: str) -> bool:
    return re.search(IN_CODE, _without_comments(code)) is not None


def _without_comments(text: str) -> str:
    lower = text.lower()
    return re.sub(COMMENT, "", text) if any(word in lower for word in WORDS) else ""


def _commands(service: Service) -> Iterator[str]:
    """Yield a service's command, and the scripts that it runs."""
    command = service.command or ""
    yield command
    for _ in range(SCRIPTS_DEEP):
        found = re.search(SCRIPT, command) if "n" in command else None
        command = _scripts(service.directory).get(found[1], "") if found else ""
        if not command:
            return
        yield command


def _programs(service: Service) -> Iterator[str]:
    """Yield the code of each file that is named by a service's command, or by a script that it runs."""
    for command in _commands(service):
        for word in command.split()[:MOST_WORDS]:
            name = word.strip("\"'")
            if name.endswith(CODE):
                yield _content(service.directory / name)
            elif re.fullmatch(r"[\w./]+", name):
                # `node server`, `python -m shop.server`
                yield _content(service.directory / f"{name}.js")
                yield _content(service.directory / f"{name.replace('.', '/')}.py")


def _scripts_of_shells(service: Service) -> Iterator[str]:
    """Yield the text of each shell script that a service's command names: `sh run.sh`, `bin/dev`."""
    for command in _commands(service):
        for word in command.split()[:MOST_WORDS]:
            name = word.strip("\"'")
            if re.fullmatch(r"[\w./-]+", name) and ("/" in name or name.endswith(".sh")):
                text = _content(service.directory / name)
                if text.startswith("#!") or name.endswith(".sh"):
                    yield text


def _scripts(directory: Path) -> dict[str, str]:
    return _parsed_scripts(_content(directory / "package.json"))


@lru_cache(maxsize=128)
def _parsed_scripts(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text.removeprefix("\ufeff"), type=_Package).scripts
    except (msgspec.DecodeError, RecursionError):
        return {}


def _configurations_of(commands: str, directory: Path) -> Iterator[str]:
    """Yield the configuration of each dev server that the commands run."""
    for name in sorted(SERVERS):
        if name in commands and re.search(rf"\b{name}\b", commands):
            for ending in ENDINGS:
                yield _content(directory / f"{name}.config.{ending}")
    if re.search(r"\bng\s+serve\b", commands):
        yield _content(directory / "angular.json")


def _content(path: Path) -> str:
    """Return a file's text, read once for each version of the file; empty if it cannot be read."""
    try:
        found = path.stat()
        return _read(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except (OSError, StateFileError):
        return ""


@lru_cache(maxsize=256)
def _read(path: Path, _inode: int, _modified: int, _size: int) -> str:
    return read_text(path, most=LARGEST_FILE) or ""


def _configurations(directory: Path) -> Iterator[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208 - names are wanted
    except OSError:
        return
    for name in sorted(names):
        first, _, rest = name.partition(".")
        if name in ("package.json", "angular.json") or (first in SERVERS and rest.startswith("config.")):
            # Reporting it is not our task: an unreadable file is no hint.
            with suppress(StateFileError):
                yield read_text(directory / name, most=LARGEST_FILE) or ""
