"""The output of services: read, followed, sorted by time, and shown without secrets.

Light: no asyncio, no msgspec, so that a command that shows lines loads little else. Any program that shows logs
(`devinit logs`, the dashboard) or reads them (probes) may use it; only the supervisor writes them.

    tail = Tail("backend", log_path(root, "backend"))
    tail.last(100)                      # → [Line]: .text (one state of it, not yet safe for a terminal), .time,
                                        #   .run (Unix times); memory stays bounded for any output
    tail.since(time.time() - 300)       # oldest first, streamed
    tail.more()                         # new lines, across restarts, rotation, `rm`

    with Follower(tails, complain=talk) as follower:
        for service, line in follower.lines(): ...     # then follower.wait(1.0), and again

    in_order({"backend": lines, "web": lines})         # → (service, Line), sorted by time
    mask = mask_of(root)                               # mask(text): postgresql://shop:***@127.0.0.1:5432/shop
    plain(mask(line.text))                             # devinit.text: for a terminal; or coloured(…)

| module | what for |
|---|---|
| `lines`, `times`, `mask`, `merge` | pure: lines, their times, masking of secrets, merging |
| `tail`, `follow` | one log; several, as they grow |
| `secrets` | the secrets of a project, from its `.env.runtime` and the supervisor's record |
"""

from __future__ import annotations

import os

from devinit.system.checkout import folder_with_logs

MARKER = "--- devinit: "
"""The beginning of devinit's own lines: one before each run of a service and each command of its set-up.

It is defined here because the supervisor needs nothing else of this package while it starts."""

SECRETS_FILE = "secrets"
"""The file in the state folder with the secrets of services, which must not be shown."""


def log_path(root: str | os.PathLike[str], service: str) -> str:
    """Return the path of the log of a checkout's service."""
    return os.path.join(folder_with_logs(root), "logs", f"{service}.log")  # noqa: PTH118  the fast commands do without pathlib
