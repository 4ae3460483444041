"""One command brings a web stack up on a developer's machine, on ports that work, and keeps it up."""

__version__ = "0.1.0"
