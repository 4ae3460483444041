"""The gateway's process: `python -m devinit.gateway READY_FD`, started by the first project that uses names.

SIGTERM and SIGINT end the gateway and Caddy. After SIGKILL, Caddy continues, and the next gateway adopts it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from devinit.control.gateway import LOCK, REFUSED, folder
from devinit.control.spawning import READY
from devinit.errors import ConfigError, DevinitError
from devinit.gateway.caddy.program import find_caddy
from devinit.gateway.serving import serve
from devinit.system.file_lock import FileLock

log = logging.getLogger("devinit.gateway")

LONGEST_LOG = 1024 * 1024


def main() -> int:
    """Run until the last project has left."""
    ready_fd = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with suppress(OSError):
        if os.fstat(2).st_size > LONGEST_LOG:
            os.ftruncate(2, 0)  # the log is opened for appending, so that it starts anew
    os.chdir("/")
    os.closerange(max(ready_fd, 2) + 1, os.sysconf("SC_OPEN_MAX"))
    os.umask(0o077)
    try:
        own = Path(folder())
        lock = FileLock(own / LOCK)
        if not lock.acquire(blocking=False):
            tell(ready_fd, READY)  # another gateway runs already
            return 0
        program = find_caddy(own)
        asyncio.run(serve(own, program, lambda: tell(ready_fd, READY), obey))
    except DevinitError as error:
        log.error("%s", error.message)  # noqa: TRY400  the message says it
        prefix = REFUSED if isinstance(error, ConfigError) else b""
        told = "\n".join(filter(None, (error.message, error.hint)))
        tell(ready_fd, prefix + told.encode(errors="backslashreplace"))
        return error.exit_code
    except OSError as error:
        log.exception("the gateway cannot go on")
        tell(ready_fd, str(error).encode(errors="replace"))
        return 1
    return 0


def obey(end: Callable[[], None]) -> None:
    """Call `end` on SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    # Handled, not ignored, as Caddy would inherit an ignored signal.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)


def tell(ready_fd: int, said: bytes) -> None:
    """Report to the parent process that the gateway listens, or why it does not."""
    with suppress(OSError):
        os.write(ready_fd, said)
        os.close(ready_fd)


if __name__ == "__main__":
    sys.exit(main())
