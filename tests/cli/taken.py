"""Taken ports in the supervisor's form, for tests of their display."""

from __future__ import annotations

from typing import Any


def holder(*command: str, pid: int = 4242, **more: Any) -> dict[str, Any]:
    """Return the holder of a port. Any: JSON values."""
    return {
        "identity": {"pid": pid, "start_time": 1, "boot_id": "x"},
        "parent_pid": 1,
        "name": "node",
        "command": list(command),
        "user": "ann",
        "uid": 1000,
        "directory": "/srv/shop/web",
        "age_seconds": 90,
        "stopped": False,
        "worktree": None,
        "branch": None,
        "ancestors": [],
        "manager": None,
        **more,
    }


def report(*holders: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the facts about a taken port."""
    return {
        "port": 8000,
        "kind": "stranger",
        "summary": "held by vite (pid 4242)",
        "holders": list(holders),
        "listeners": [],
        "clients": 0,
        "container": None,
        "owner": None,
        "killable": bool(holders),
        "advice": "",
        **more,
    }


def conflict(*holders: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the conflict about a taken port that backend needs."""
    return report(
        *holders,
        **{
            "service": "backend",
            "move_to": 8001,
            "choices": ["move", "kill", "retry", "abort"],
            "default": "move",
            "changes": [],
            "reuse": "",
            "problem": "",
            **more,
        },
    )


def listener(address: str, *, dual_stack: bool | None = False) -> dict[str, Any]:
    family = 6 if ":" in address else 4
    return {
        "port": 8000,
        "address": address,
        "family": family,
        "dual_stack": dual_stack,
        "inode": 1,
        "uid": 1000,
    }
