"""The only entry point for processes: start them, identify them, find their relatives, signal exactly them.

A pid is reused after its process has ended. Each process that is signalled here is identified by its start time
first, and held by a pidfd meanwhile.
"""

from __future__ import annotations

from devinit.system.facts import alive, ancestors_of, boot_id, facts_of, identity_of, runs_as_us, user_name
from devinit.system.process import Process, signal_exactly
from devinit.system.procfs import all_processes, cgroups_of, has_legible_environment, process_ids, variable_of
from devinit.system.spawning import spawn
from devinit.system.tree import (
    RUN_VARIABLE,
    ProcessTable,
    followers_of,
    group_of,
    members_of,
    signal_tree,
    tree_of,
)

__all__ = [
    "RUN_VARIABLE",
    "Process",
    "ProcessTable",
    "alive",
    "all_processes",
    "ancestors_of",
    "boot_id",
    "cgroups_of",
    "facts_of",
    "followers_of",
    "group_of",
    "has_legible_environment",
    "identity_of",
    "members_of",
    "process_ids",
    "runs_as_us",
    "signal_exactly",
    "signal_tree",
    "spawn",
    "tree_of",
    "user_name",
    "variable_of",
]
