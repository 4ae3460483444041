"""Notice that a service waits for input: a debugger at its breakpoint, a question at a start.

The end of the log says what it asks, and the kernel that it reads: each alone lies. Progress is printed as
unfinished lines as well, and `tailwind --watch` reads its input all the time. Nothing wakes up for it: we look
when the log has grown, when a client asks, and when a probe has failed.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from devinit.supervisor.logs import log_files
from devinit.system.procfs import family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.model.prompts import Prompt
    from devinit.model.status import InputWait
    from devinit.supervisor.diagnosis.listening import Finding
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner
    from devinit.system.input_readers import Proof

END_BYTES = 4096
"""How much of the end of a log is read for its last line."""
LINES_OF_A_BREAK = 20
"""Of `node inspect`: where it has stopped, the lines around that, what was asked since."""
AGAIN_SECONDS = (0.5, 2.0)
"""When it is looked again after a prompt that nothing reads for: a busy machine takes its time in between."""


class InputWatch:
    """What is known of one service: for what it waits, if it does."""

    def __init__(self, runner: Runner, stage: ProjectState) -> None:
        self._runner, self._stage = runner, stage
        self._now: InputWait | None = None
        self._again: asyncio.TimerHandle | None = None

    def printed(self, again: tuple[float, ...] = AGAIN_SECONDS) -> None:
        """Look after the service has printed something."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.look() is None and again and prompt_at(self._end()) is not None:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(again[0], self.printed, again[1:])

    def soon(self) -> None:
        """Look in a moment: something was typed, and a program that prints nothing about it goes on in silence."""
        if self._again is not None:
            self._again.cancel()
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(AGAIN_SECONDS[0], self.printed)

    def look(self) -> InputWait | None:
        """Return for what the service waits now; tell when that is something else than before."""
        before, self._now = self._now, self._found()
        if self._now is not None and before is not None and is_same(self._now, before):
            self._now = before
        if self._now is not before:
            self._stage.broadcaster.tell(
                {
                    "type": "waits_for_input",
                    "at": time.time(),
                    "service": self._runner.name,
                    "waits_for_input": self._now,
                }
            )
        return self._now

    def finding(self) -> Finding | None:
        """Return the wait as a finding that blocks a start."""
        if (wait := self.look()) is None:
            return None
        from devinit.supervisor.diagnosis.listening import Finding, Sign  # as below

        return Finding(
            Sign.INPUT,
            f"waits for input at {wait['prompt']}",
            f"`devinit attach {self._runner.name}` answers it; it becomes ready when it goes on",
        )

    def _found(self) -> InputWait | None:
        process, end = self._runner.run.process, self._end()
        if process is None or (prompt := prompt_at(end)) is None:
            return None
        from devinit.system.input_readers import reader_of_input  # few services ask anything

        reader = reader_of_input(family_of(process.pid))
        if reader is None or not is_believed(prompt, reader.proof, end):
            return None
        text = self._stage.mask(prompt.text)
        return {"prompt": text, "kind": prompt.kind, "pid": reader.pid, "since": time.time()}

    def _end(self) -> str:
        """Return the end of what this run has printed, if its last line is unfinished."""
        output = self._runner.output
        size = output.size()
        try:
            end = log_files.read_between(output.path, max(output.offset, size - END_BYTES), size)
        except OSError:
            return ""
        return "" if end.endswith(b"\n") else end.decode(errors="replace")


def prompt_at(end: str) -> Prompt | None:
    """Return what the unfinished last line of an output asks for. Pure."""
    if not end:
        return None
    from devinit.model.prompts import prompt_in  # as above
    from devinit.text import harmless, last_state

    *_, before, line = ("", *end.split("\n"))
    return prompt_in(harmless(last_state(line)), harmless(before))


def is_believed(prompt: Prompt, proof: Proof, end: str) -> bool:
    """Whether a prompt at the end of an output, and what the kernel says, prove that a service waits. Pure."""
    from devinit.system.input_readers import Proof  # as above

    match proof:
        case Proof.READS:
            return True
        case Proof.SLEEPS | Proof.EDITS:
            return prompt.kind != "other"
        case Proof.POLLS:
            # Any server polls, also after its breakpoint; only this debugger asks in that way.
            return is_node_at_a_break(end.split("\n")[-LINES_OF_A_BREAK:])


def is_node_at_a_break(lines: Sequence[str]) -> bool:
    """Whether `node inspect` has stopped: it prints its prompt again, behind the one before, when it goes on."""
    return lines[-1].strip() == "debug>" and any("break in " in line.lower() for line in lines)


def is_same(one: InputWait, other: InputWait) -> bool:
    """Whether it is the same question of the same process."""
    return (one["prompt"], one["pid"]) == (other["prompt"], other["pid"])
