"""Orders and questions beyond start, stop and status: wait, check, run, ports, and the take-over."""
