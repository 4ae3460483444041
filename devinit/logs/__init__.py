"""What services print: read, followed, put in order of time, and shown without secrets.

Light: no asyncio, no msgspec; a command that shows lines loads little else. Every program may use it that shows
logs (`devinit logs`, the dashboard) or reads them (probes); only the supervisor writes there (supervisor/logs).

    tail = Tail("backend", log_path(root, "backend"))
    tail.last(100)                      # → [Line]: .text (one state of it, not yet safe for a terminal), .time,
                                        #   .run (Unix times); memory stays bounded whatever was printed
    tail.since(time.time() - 300)       # the oldest first, streamed
    tail.more()                         # what has come since, over restarts, rotation, `rm`

    with Follower(tails, complain=talk) as follower:
        for service, line in follower.lines(): ...     # then follower.wait(1.0), and again

    in_order({"backend": lines, "web": lines})         # → (service, Line) in the order of time
    mask = mask_of(root)                               # mask(text): postgresql://shop:***@127.0.0.1:5432/shop
    plain(mask(line.text))                             # devinit.text: for a terminal; or coloured(…)

| module | what for |
|---|---|
| `lines`, `times`, `mask`, `merge` | pure: what a line is, when it was printed, what is hidden, what comes first |
| `tail`, `follow` | one log; several, as they grow |
| `secrets` | the secrets of a project, from its `.env.runtime` and what its supervisor noted |
"""

from __future__ import annotations

import os

from devinit.system.checkout import folder_with_logs

MARKER = "--- devinit: "
"""How the lines begin that are ours: one before each run of a service and each command of its set-up.

Here, since the supervisor needs no more than that while it starts."""

SECRETS_FILE = "secrets"
"""In the state folder: what services are given that is not to be shown."""


def log_path(root: str | os.PathLike[str], service: str) -> str:
    """Return where the output of a checkout's service lies."""
    return os.path.join(folder_with_logs(root), "logs", f"{service}.log")  # noqa: PTH118  the fast commands do without pathlib
