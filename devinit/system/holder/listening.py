"""The socket of a holder: only its user can reach it, and each client is checked (`viewers.is_ours`)."""

from __future__ import annotations

import os
import socket
import stat


def listen(path: str) -> socket.socket:
    """Return a listening socket, and replace one that was left behind. Raise OSError."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen()
    listener.setblocking(False)
    return listener


def listen_again(path: str, listener: socket.socket) -> None:
    """Bind a socket to its path again, with its old descriptor, if the path is gone. Raise OSError."""
    if os.path.exists(path):
        return
    with listen(path) as again:
        os.dup2(again.fileno(), listener.fileno(), inheritable=False)


def close(path: str, listener: socket.socket) -> None:
    """Remove our socket, unless the next run has put its own in its place."""
    listener.close()
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, BlockingIOError):
            try:
                os.unlink(path)
            except OSError:
                pass
        except OSError:
            pass
