"""End what runs of a service although nobody has it on record, and although it lost its mark."""

from __future__ import annotations

import asyncio

from devinit.model.service import StopPolicy
from devinit.supervisor.ending import end_tree
from devinit.supervisor.stage import Stage


async def end_keepers(name: str, stage: Stage, policy: StopPolicy) -> list[int]:
    """End what still keeps a lease of a service; return what is still there then, normally nothing.

    Redis and others write over their environment, and so over the mark. Nobody loses the lease unawares.
    """
    left: list[int] = []
    for keeper in await asyncio.to_thread(stage.ports.keepers, name):
        left += await end_tree(
            keeper,
            stage.marker(name),
            policy,
            lambda text: stage.note(f"{name} {text}", name),
            stage.lookout,
        )
    return left
