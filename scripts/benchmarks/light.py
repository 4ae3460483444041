"""A server that boots in a millisecond or two, so that devinit's own time is not lost in a service's boot."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring import Checkout

IN_C = r"""
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Listens on the port that it is given, after so many milliseconds, and answers every connection with its pid. */
int main(int count, char **words) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    if (count < 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    if (count > 2) usleep(1000 * atoi(words[2]));
    address.sin_port = htons(atoi(words[1]));
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 64)) return 1;
    puts("listening");
    fflush(stdout);
    for (;;) {
        int client = accept(server, 0, 0);
        if (client < 0) continue;
        dprintf(client, "%d\n", getpid());
        close(client);
    }
}
"""
IN_PYTHON = """
import os, socket, sys, time
time.sleep(int(sys.argv[2]) / 1000 if sys.argv[2:] else 0)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
print("listening", flush=True)
while True:
    client = server.accept()[0]
    client.sendall(b"%d\\n" % os.getpid())
    client.close()
"""
POLL_SECONDS = 0.001
FIRST_PORT = 21000


class Light:
    """The program of the server: compiled if there is a compiler, else Python without its site packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        compiler = shutil.which("cc")
        if compiler is not None:
            source, program = folder / "light.c", folder / "light"
            source.write_text(IN_C)
            subprocess.run([compiler, "-O1", "-static", "-o", program, source], check=True)
            self.argv, self.title = [str(program)], "light services (a static C server)"
        else:
            script = folder / "light.py"
            script.write_text(IN_PYTHON)
            self.argv, self.title = [sys.executable, "-S", "-E", str(script)], "light services (python -S -E)"

    def configure(self, project: Checkout, services: Iterable[tuple[str, int, Sequence[str]]]) -> None:
        """Write a devinit.toml of light services: name, port, dependencies."""
        command = " ".join(self.argv)
        text = "".join(
            f'[services.{name}]\ncommand = "{command} ${{PORT}}"\nport = {port}\n'
            f"depends_on = {list(needs)}\nready = {{ tcp = true }}\n"
            for name, port, needs in services
        )
        (project.root / "devinit.toml").write_text(text)

    @contextmanager
    def by_hand(self, port: int) -> Iterator[subprocess.Popen[bytes]]:
        """Start one server without devinit."""
        with subprocess.Popen([*self.argv, str(port)], stdin=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()


def until_answering(port: int, poll_seconds: float = POLL_SECONDS) -> int:
    """Return the pid of the server on a port, as soon as one answers."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                answer = connection.recv(16)
        except OSError:
            answer = b""
        if answer:
            return int(answer)
        time.sleep(poll_seconds)
