"""End what holds a port: the plan, the signals, the wait, and whether it comes back."""
