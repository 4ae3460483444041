"""Groups of phases, by their names on the wire. It imports nothing: quick commands load it."""

AT_REST = frozenset({"stopped", "exited", "failed"})
"""Phases in which no process of a service runs, and a start has something to start."""
DOWN = AT_REST | {"orphaned"}
"""Phases of a service that no supervisor runs."""
