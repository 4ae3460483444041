"""Variables of a service besides the runtime environment: from `.env` files, named pipes and its own `env`."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from devinit.config.env_files import given_env_files
from devinit.errors import StateFileError
from devinit.logs import SECRETS_FILE
from devinit.model.service import Service
from devinit.runtime.dotenv import Stated, read_ahead, stated_in
from devinit.supervisor.files.env_pipes import EnvPipes
from devinit.system.files import read_text, write_atomically

log = logging.getLogger(__name__)

LARGE_FILE = 20_000
"""Bytes of a `.env` file from which on a thread reads it, since reading could block the other services for too
long.
"""


class Given:
    """The values that each service last got. Programs that show logs hide the secret ones."""

    def __init__(self, root: Path, private: Path) -> None:
        self._root, self._private = root, private
        self._pipes = EnvPipes()
        self._values: dict[str, dict[str, str]] = {}
        self._is_noted = False
        """Whether the secret values among them are recorded on disk."""

    def env_files_of(self, service: Service) -> tuple[Path, ...]:
        """Return the `.env` files of a service; later ones take precedence."""
        return given_env_files(self._root, service)

    def files_of(self, service: Service, caller: dict[str, str]) -> dict[str, Stated]:
        """Return the values in `.env` files: the checkout's, the service's own, then the configured ones.

        Raise ConfigError for an unusable file.
        """
        files = self.env_files_of(service)
        pipes = self._pipes.unread(files)
        paths = [path for path in files if path not in pipes]
        return stated_in(paths, caller=caller, said=self._pipes.said)

    async def read_pipes(self, services: Iterable[Service], *, again: bool = False) -> None:
        """Read inputs that would block other services: long files, and the named pipes among the `.env` files.

        The services are about to run. Raise ConfigError for a pipe that cannot be read.

        Each pipe is read once, unless `again` is set. Until then an unread pipe has no values: a caller that only
        asks about a service must not consume the content that the writer has for the next start.
        """
        paths = dict.fromkeys(path for service in services for path in self.env_files_of(service))
        await _read_ahead(paths)
        if pipes := [path for path in paths if path.is_fifo()] if again else self._pipes.unread(paths):
            await asyncio.to_thread(self._pipes.read, pipes)

    async def read_ahead(self, services: Iterable[Service]) -> None:
        """Read the long `.env` files of services in a thread and keep their values."""
        await _read_ahead(dict.fromkeys(path for service in services for path in self.env_files_of(service)))

    def remember(self, service: str, values: Mapping[str, str]) -> None:
        """Record the values that a service is given."""
        if self._values.get(service) != values:
            self._values[service], self._is_noted = dict(values), False

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those of these services whose values are not recorded."""
        return set(names) - self._values.keys()

    def note_secrets(self) -> bool:
        """Write the secret values for programs that show logs; return whether they have changed."""
        if self._is_noted or not any(self._values.values()):
            return False
        from devinit.logs.secrets import noted  # only for projects with such variables

        path, text = self._private / SECRETS_FILE, noted(self._values.values())
        try:
            is_new = text != (read_text(path) or "")
            if is_new:
                write_atomically(path, text, mode=0o600, durable=False)
            self._is_noted = True
        except StateFileError as error:
            # No reason not to run. Until the next start, secrets that a service prints are shown.
            log.warning("%s", error.message)
            return False
        return is_new

    def for_a_question(self) -> Given:
        """Return a copy, so that values for a mere question do not count as given to services."""
        copy = Given(self._root, self._private)
        copy._pipes, copy._is_noted = self._pipes, self._is_noted
        copy._values = dict(self._values)
        return copy


async def _read_ahead(paths: Iterable[Path]) -> None:
    if large := [path for path in paths if _is_large(path)]:
        await asyncio.to_thread(read_ahead, large)


def _is_large(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > LARGE_FILE


def wants_color(caller: dict[str, str]) -> bool:
    """Return whether services should print colours: the caller is at a terminal and does not set NO_COLOR."""
    return not caller.get("NO_COLOR") and caller.get("TERM", "dumb") != "dumb"
