"""Ending the holders of a port: the plan, the signals, the wait, and the check for a restart."""
