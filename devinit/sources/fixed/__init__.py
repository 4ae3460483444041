"""Ports that cannot move, because the code of the repository has them as constants."""
