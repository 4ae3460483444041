"""The ways in which repositories write which versions they want. Each answers None for what it does not understand."""
