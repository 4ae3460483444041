"""Node: its package managers, and the packages that they install."""
