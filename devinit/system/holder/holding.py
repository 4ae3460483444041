"""The main loop of the holder: it starts one program in a terminal and holds it until its last process has ended.

No signal, full disk or viewer ends this process earlier: its end would end the service (SIGHUP).
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys

from devinit.system.holder import frames, listening
from devinit.system.holder.endings import Endings
from devinit.system.holder.log import Log
from devinit.system.holder.program import IGNORED, NOTICED, adopt_orphans, runs, start, until_end
from devinit.system.holder.queries import LONGEST, answers_to
from devinit.system.holder.screen import Screen
from devinit.system.holder.terminal import Terminal
from devinit.system.holder.viewers import Viewer, Viewers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import NoReturn

    from devinit.system.holder.order import Order

MOST_READS = 64
"""A terminal never contains more: the kernel buffers about 20 KB of output and returns 4 KB per read."""
REPAINT_MILLISECONDS = 50
"""How long the terminal has another size, to make a program repaint the whole screen."""


def main() -> NoReturn:
    """Read the order from standard input, carry it out, and exit."""
    os.lseek(0, 0, os.SEEK_SET)
    order: Order = marshal.loads(until_end(0))  # noqa: S302  our own supervisor wrote it, into a file without a name
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    woken, wakes = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in NOTICED:
        signal.signal(number, lambda *_: None)
    adopt_orphans()
    for descriptor in (order["log"], order["told"]):
        os.set_inheritable(descriptor, False)
    os.umask(order["umask"])
    listener = listening.listen(order["socket"])
    terminal = Terminal(order["size"])
    endings = Endings(order["endings"])
    pid = start(order, terminal.slave)
    for descriptor in order["keep"]:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    os.chdir("/")
    os.write(order["told"], b"pid %d\n" % pid)
    Holding(order, terminal, Children(pid, endings), (listener, woken)).until_all_ended()
    listening.close(order["socket"], listener)
    sys.stdout = sys.stderr = None
    os._exit(0)


class Children:
    """The service and the processes that became our children since, with their exit codes."""

    def __init__(self, service: int, endings: Endings) -> None:
        self.service, self.endings = service, endings
        self.may_be_reaped = False
        """False until the supervisor knows the service: until then, its pid must not become free for reuse."""
        self.are_gone = False

    def reap(self) -> int | None:
        """Record all children that have ended; return the service's exit code if it is among them."""
        code = None
        while self.may_be_reaped:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.are_gone = True
                break
            if pid == 0:
                break
            ended = os.waitstatus_to_exitcode(status)
            self.endings.note(pid, ended, is_service=pid == self.service)
            if pid == self.service:
                code = ended
        return code

    def answer(self, pid: int) -> bytes:
        """Return the frame about how a process has ended."""
        code = self.endings.codes.get(pid)
        if code is not None:
            return code_of(pid, frames.ENDED, code)
        return code_of(pid, frames.RUNS if runs(pid) else frames.UNKNOWN)


class Holding:
    """The terminal of one service, from its start to the end of its last process."""

    def __init__(
        self, order: Order, terminal: Terminal, children: Children, inputs: tuple[socket.socket, int]
    ) -> None:
        # `inputs` are the socket for clients, and the pipe for signals.
        self._terminal, self._children = terminal, children
        self._listener, self._woken = inputs
        self._order = order
        self._log = Log(order["log"])
        self._screen = Screen(terminal.program)
        self._viewers = Viewers(self._listener, self._screen.replay)
        self._asked = b""
        """The end of the output in which queries were already answered."""
        self._size: tuple[int, int] | None = None
        """The real size of the terminal, while it briefly has another one."""
        self._full_by = 0
        """The process group of the program that fills the screen."""
        self._poll = select.poll()

    def until_all_ended(self) -> None:
        """Serve until no process is left and all output has been read."""
        for descriptor in (self._woken, self._listener.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        # No events are requested: the poll reports when the supervisor has closed its end and so knows our child.
        self._poll.register(self._order["told"], 0)
        while self._terminal.is_open or not self._children.are_gone:
            self._look_for_room()
            found = self._poll.poll(REPAINT_MILLISECONDS if self._size is not None else None)
            if not found and self._size is not None:
                self._terminal.resize(*self._size)
                self._size = None
            for descriptor, events in found:
                try:
                    self._serve(descriptor, events)
                except Exception:  # noqa: BLE001  whatever a client sends, the service's terminal must stay
                    if (viewer := self._viewers.all.get(descriptor)) is not None:
                        self._viewers.drop(viewer)
        self._log.close()

    def _serve(self, descriptor: int, events: int) -> None:
        if descriptor == self._terminal.master:
            if events & select.POLLOUT:
                self._terminal.write()
            if events & ~select.POLLOUT:
                self._read()
        elif descriptor == self._woken:
            if signal.SIGUSR1 in os.read(self._woken, 4096):
                self._listen_again()
            self._reap()
        elif descriptor == self._listener.fileno():
            self._viewers.accept()
        elif (viewer := self._viewers.all.get(descriptor)) is not None:
            if events & select.POLLOUT:
                self._viewers.has_room(viewer)
            if events & ~select.POLLOUT:
                for kind, content in self._viewers.received(viewer):
                    self._obey(viewer, kind, content)
        else:
            self._forget(descriptor)
            if descriptor == self._order["told"] and not self._children.may_be_reaped:
                os.close(descriptor)
                self._children.may_be_reaped = True
                self._reap()

    def _forget(self, descriptor: int) -> None:
        """Stop polling a descriptor that was closed in the meantime."""
        try:
            self._poll.unregister(descriptor)
        except KeyError:
            pass

    def _look_for_room(self) -> None:
        """Poll for writability where data waits to be written."""
        if self._terminal.is_open:
            writes = select.POLLOUT if self._terminal.typed else 0
            self._poll.register(self._terminal.master, select.POLLIN | writes)
        for descriptor, viewer in self._viewers.all.items():
            writes = select.POLLOUT if viewer.waiting or viewer.is_behind else 0
            self._poll.register(descriptor, select.POLLIN | writes)

    def _listen_again(self) -> None:
        """Create the socket again if its folder was emptied."""
        try:
            listening.listen_again(self._order["socket"], self._listener)
        except OSError:
            return
        self._poll.register(self._listener, select.POLLIN)

    # The service

    def _read(self) -> None:
        master = self._terminal.master
        data = self._terminal.read()
        if not self._terminal.is_open:
            self._forget(master)
        if not data:
            return
        if self._screen.is_full and self._full_by and not runs(-self._full_by):
            # It was killed, so it did not leave the full screen itself.
            self._screen.leave()
        was_full = self._screen.is_full
        self._log.write(self._screen.take(data))
        if self._screen.is_full and not was_full:
            self._full_by = self._terminal.group()
        self._viewers.show(data)
        if self._viewers.keyboard is None and (answers := answers_to(data, self._asked)):
            self._terminal.type(answers)
        self._asked = (self._asked + data[-LONGEST:])[-LONGEST:]

    def _reap(self) -> None:
        if (code := self._children.reap()) is None:
            return
        self._terminal.let_end()
        # Output from before the end is shown before the end; output of other processes
        # with the terminal comes later.
        for _ in range(MOST_READS):
            if not self._terminal.has_output():
                break
            self._read()
        self._viewers.tell_all(code_of(self._children.service, frames.ENDED, code))

    # The viewers

    def _obey(self, viewer: Viewer, kind: bytes, content: bytes) -> None:
        has_keyboard = viewer is self._viewers.keyboard
        match kind:
            case frames.ATTACH:
                self._viewers.attach(viewer, content)
                self._take_size(viewer, repaint=True)
            case frames.TAKE if viewer.is_attached:
                self._viewers.give(viewer)
                self._take_size(viewer, repaint=True)
            case frames.SIZE:
                viewer.size = frames.SIZES.unpack(content)
                self._take_size(viewer)
            case frames.GUARDED if has_keyboard and self._would_signal():
                self._viewers.answer(viewer, frames.frame(frames.GUARD, content))
            case frames.INPUT | frames.GUARDED if has_keyboard:
                if not self._terminal.type(content):
                    self._viewers.answer(viewer, frames.frame(frames.REFUSED))
            case frames.PUSH:
                is_taken = self._terminal.type(content)
                self._viewers.answer(viewer, frames.frame(frames.PUSHED, bytes((is_taken,))))
            case frames.ASK_CODE:
                self._reap()
                (pid,) = frames.NUMBER.unpack(content)
                self._viewers.answer(viewer, self._children.answer(pid))

    def _would_signal(self) -> bool:
        """Whether a control character would reach the service as a signal, and no prompt is being answered."""
        return self._screen.is_at_line_start and not self._screen.is_full and self._terminal.signals()

    def _take_size(self, viewer: Viewer, *, repaint: bool = False) -> None:
        """Adopt the size of the viewer that has the keyboard."""
        rows, columns = viewer.size
        if viewer is not self._viewers.keyboard or not (rows and columns):
            return
        self._size = None
        if repaint and self._screen.is_full and rows > 1:
            self._size = (rows, columns)
            rows -= 1
        self._terminal.resize(rows, columns)


def code_of(pid: int, state: int, code: int = 0) -> bytes:
    """Return the frame that reports the state and the exit code of a process."""
    return frames.frame(frames.CODE, frames.CODES.pack(pid, state, code))
