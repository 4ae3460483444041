"""Node: its package managers, and what they install."""
