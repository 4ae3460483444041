"""Let a real project live through a random walk of commands and faults; end with 1 if anything went wrong.

The same seed draws the same happenings in the same order; what they meet depends on the machine's timing.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator

from tests.faults.walk import happenings, invariants
from tests.faults.walk.world import World

RECOVERY_EVERY = 12
"""After this many steps, a plain start must start everything, and a plain stop must stop everything."""
Say = Callable[[str], None]


class Walk:
    """A random walk through the life of one project."""

    def __init__(self, seed: int, say: Say) -> None:
        self.chance = random.Random(seed)  # noqa: S311  not a secret
        self.say = say
        self.steps = self.faults = 0
        self.violations: list[str] = []
        self.rows = self.visits = 0
        """The rows and visits that were committed and acknowledged, and found again each time."""

    def run(self, *, steps: float = float("inf"), seconds: float = float("inf")) -> None:
        """Walk until the steps or the time are used up."""
        world = World(self.chance)
        began = time.monotonic()
        try:
            self.recover(world)
            while self.steps < steps and time.monotonic() - began < seconds:
                self.step(world)
                if self.steps % RECOVERY_EVERY == 0:
                    self.recover(world)
            self.recover(world)
        finally:
            self.rows, self.visits = world.rows, world.visits
            world.finish()

    def step(self, world: World) -> None:
        """Cause one happening, and check all invariants."""
        self.steps += 1
        chosen = happenings.FAULTS if self.chance.random() < 0.65 else happenings.DAILY
        self.faults += chosen is happenings.FAULTS
        [happening] = self.chance.choices(list(chosen), weights=list(chosen.values()))
        what = happening(world)
        self.say(f"{self.steps:5} {what}")
        self.blame(what, invariants.violations(world))
        if happening is happenings.stop_all:
            self.blame(what, invariants.after_stop(world))

    def recover(self, world: World) -> None:
        """Check that a plain start and a plain stop still work, whatever has happened."""
        world.dismiss_strangers()
        said = world.devinit("start", "all", "--detach")
        if said.code != 0:
            self.blame("a plain start", iter([f"exit code {said.code}: {said.out}\n{said.talk}"]))
        self.blame("a plain start", invariants.violations(world))
        said = world.devinit("stop")
        if said.code != 0:
            self.blame("a plain stop", iter([f"exit code {said.code}: {said.talk}"]))
        self.blame("a plain stop", invariants.after_stop(world))
        world.devinit("start", "all", "--detach")

    def blame(self, what: str, found: Iterator[str]) -> None:
        """Record violations."""
        for violation in found:
            self.violations.append(f"step {self.steps}, {what}: {violation}")
            self.say(f"      VIOLATION {violation}")


def main() -> int:
    """Walk for the requested time, and print the result."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="how long (default 1)")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="draw the same again")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    say(f"seed {seed}")
    walk = Walk(seed, say)
    began = time.monotonic()
    walk.run(seconds=arguments.minutes * 60)
    minutes = (time.monotonic() - began) / 60
    found = len(walk.violations)
    say(f"{walk.steps} steps, {walk.faults} faults, {found} violations in {minutes:.1f} minutes;")
    say(f"{walk.rows} rows committed and {walk.visits} visits counted, all of them found again")
    for violation in walk.violations:
        say(f"- {violation}")
    return 1 if walk.violations else 0


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
