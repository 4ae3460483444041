"""The viewers of a terminal, and which of them has the keyboard.

No viewer slows the service down, because none is waited for. A viewer that cannot keep up gets the screen again
when it reads again.
"""

from __future__ import annotations

import os
import socket
import struct

from devinit.system.holder import frames
from devinit.system.holder.queries import Quiet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECEIVED_BYTES = 64 * 1024
MOST = 64
"""Clients at the same time; further ones are disconnected."""
_CREDENTIALS = struct.Struct("iII")


class Viewer:
    """One client of the holder; once attached, it sees the output of the terminal."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.frames = frames.Frames()
        self.is_attached = False
        self.wants_keyboard = False
        self.size = (0, 0)
        """Rows and columns of its terminal."""
        self.waiting = b""
        """The rest of a frame that was sent partially."""
        self.is_behind = False
        """Whether output was skipped for it."""

    def send(self, data: bytes) -> None:
        """Send a frame, as far as there is space. Raise OSError when the client is gone."""
        if self.waiting:
            self.is_behind = True
            return
        try:
            sent = self.connection.send(data)
        except BlockingIOError:
            self.is_behind = True
            return
        self.waiting = data[sent:]

    def flush(self) -> bool:
        """Send the rest of a frame; return whether all of it was sent. Raise OSError when the client is gone."""
        if self.waiting:
            try:
                sent = self.connection.send(self.waiting)
            except BlockingIOError:
                return False
            self.waiting = self.waiting[sent:]
        return not self.waiting


class Viewers:
    """All clients of one holder."""

    def __init__(self, listener: socket.socket, replay: Callable[[int], bytes]) -> None:
        """`replay`: returns a sequence that shows the current terminal, with this many lines of earlier output."""
        self.all: dict[int, Viewer] = {}
        self.keyboard: Viewer | None = None
        self._listener, self._replay = listener, replay
        self._quiet = Quiet()

    def accept(self) -> Viewer | None:
        """Accept a client and return it, unless it belongs to another user."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return None
        if len(self.all) >= MOST or not is_ours(connection):
            connection.close()
            return None
        connection.setblocking(False)
        viewer = Viewer(connection)
        self.all[connection.fileno()] = viewer
        try:
            connection.send(bytes((frames.VERSION,)))
        except OSError:
            self.drop(viewer)
            return None
        return viewer

    def attach(self, viewer: Viewer, content: bytes) -> None:
        """Attach a client; give it the keyboard if it wants it and no other client has it."""
        rows, columns, lines, wants = frames.ATTACHMENT.unpack(content)
        viewer.is_attached, viewer.wants_keyboard, viewer.size = True, bool(wants), (rows, columns)
        self._tell(viewer, frames.frame(frames.OUTPUT, self._replay(lines)))
        if wants and self.keyboard is None:
            self.give(viewer)
        else:
            self._tell(viewer, frames.frame(frames.KEYBOARD, b"\0"))

    def give(self, viewer: Viewer) -> None:
        """Give a client the keyboard, and take it from its former owner."""
        if viewer is self.keyboard:
            return
        before, self.keyboard = self.keyboard, viewer
        if before is not None:
            self._tell(before, frames.frame(frames.KEYBOARD, b"\0"))
        self._tell(viewer, frames.frame(frames.KEYBOARD, b"\1"))

    def show(self, data: bytes) -> None:
        """Send output to all viewers; only the one with the keyboard gets queries to its terminal."""
        watch = [each for each in self.all.values() if each.is_attached and each is not self.keyboard]
        if self.keyboard is not None:
            self._tell(self.keyboard, frames.frame(frames.OUTPUT, data))
        if watch and (quiet := self._quiet.take(data)):
            for viewer in watch:
                self._tell(viewer, frames.frame(frames.OUTPUT, quiet))

    def tell_all(self, data: bytes) -> None:
        """Send a frame to every viewer."""
        for viewer in [each for each in self.all.values() if each.is_attached]:
            self._tell(viewer, data)

    def has_room(self, viewer: Viewer) -> None:
        """Continue with a client that reads again; send it the screen again if it missed output."""
        try:
            if viewer.flush() and viewer.is_behind:
                viewer.is_behind = False
                viewer.send(frames.frame(frames.SKIPPED))
                viewer.send(frames.frame(frames.OUTPUT, self._replay(viewer.size[0])))
                viewer.send(frames.frame(frames.KEYBOARD, bytes((viewer is self.keyboard,))))
        except OSError:
            self.drop(viewer)

    def received(self, viewer: Viewer) -> Iterator[tuple[bytes, bytes]]:
        """Yield the frames of a client, and drop it if it is gone. Raise Broken for invalid data."""
        try:
            data = viewer.connection.recv(RECEIVED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(viewer)
            return
        yield from viewer.frames.take(data)

    def answer(self, viewer: Viewer, data: bytes) -> None:
        """Send one client a frame, and drop it if it is gone."""
        self._tell(viewer, data)

    def drop(self, viewer: Viewer) -> None:
        """Disconnect a client; the keyboard goes to the client that has waited for it longest."""
        self.all.pop(viewer.connection.fileno(), None)
        viewer.connection.close()
        viewer.is_attached = False
        if viewer is self.keyboard:
            self.keyboard = None
            if heir := next((each for each in self.all.values() if each.wants_keyboard), None):
                self.give(heir)

    def _tell(self, viewer: Viewer, data: bytes) -> None:
        try:
            viewer.send(data)
        except OSError:
            self.drop(viewer)


def is_ours(connection: socket.socket) -> bool:
    """Whether the other end is a process of our own user or of root."""
    if not hasattr(socket, "SO_PEERCRED"):  # macOS: only its user may enter the socket's folder
        return True
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(found)
    return uid in (0, os.geteuid())
