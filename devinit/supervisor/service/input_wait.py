"""Detection of services that wait for input: a debugger at its breakpoint, a question at the start.

The end of the log shows the question, and the kernel shows that a process reads. Neither is proof alone: progress
is printed as unfinished lines as well, and `tailwind --watch` reads its input all the time. There is no timer for
it: the check runs when the log has grown, when a client asks, and when a probe has failed.
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
"""How many bytes at the end of a log are read for its last line."""
LINES_OF_A_BREAK = 20
"""Lines that `node inspect` prints at a break: where it has stopped, the code around it, answers to commands."""
AGAIN_SECONDS = (0.5, 2.0)
"""Delays before repeated checks for a prompt that no process reads for yet: on a busy machine, reading starts
late.
"""


class InputWatch:
    """The input state of one service: the prompt at which it waits, if any."""

    def __init__(self, runner: Runner, stage: ProjectState) -> None:
        self._runner, self._stage = runner, stage
        self._now: InputWait | None = None
        self._again: asyncio.TimerHandle | None = None

    def printed(self, again: tuple[float, ...] = AGAIN_SECONDS) -> None:
        """Check after the service has printed something."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.look() is None and again and prompt_at(self._end()) is not None:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(again[0], self.printed, again[1:])

    def soon(self) -> None:
        """Check in a moment: after an input, a program may go on without printing anything."""
        if self._again is not None:
            self._again.cancel()
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(AGAIN_SECONDS[0], self.printed)

    def look(self) -> InputWait | None:
        """Return the prompt at which the service waits now; report it to clients when it has changed."""
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
        """Return the end of this run's output if its last line is unfinished."""
        output = self._runner.output
        size = output.size()
        try:
            end = log_files.read_between(output.path, max(output.offset, size - END_BYTES), size)
        except OSError:
            return ""
        return "" if end.endswith(b"\n") else end.decode(errors="replace")


def prompt_at(end: str) -> Prompt | None:
    """Return the prompt in the unfinished last line of an output. Pure."""
    if not end:
        return None
    from devinit.model.prompts import prompt_in  # as above
    from devinit.text import harmless, last_state

    *_, before, line = ("", *end.split("\n"))
    return prompt_in(harmless(last_state(line)), harmless(before))


def is_believed(prompt: Prompt, proof: Proof, end: str) -> bool:
    """Return whether a prompt, together with what the kernel shows, proves that a service waits. Pure."""
    from devinit.system.input_readers import Proof  # as above

    match proof:
        case Proof.READS:
            return True
        case Proof.SLEEPS | Proof.EDITS:
            return prompt.kind != "other"
        case Proof.POLLS:
            # Any server polls, also after its breakpoint; only this debugger also polls while it asks.
            return is_node_at_a_break(end.split("\n")[-LINES_OF_A_BREAK:])


def is_node_at_a_break(lines: Sequence[str]) -> bool:
    """Return whether `node inspect` has stopped.

    When it goes on, it prints its prompt again behind the last one.
    """
    return lines[-1].strip() == "debug>" and any("break in " in line.lower() for line in lines)


def is_same(one: InputWait, other: InputWait) -> bool:
    """Return whether both are the same question of the same process."""
    return (one["prompt"], one["pid"]) == (other["prompt"], other["pid"])
