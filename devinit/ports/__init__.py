"""Ports: leased machine-wide, held until the service binds them, explained when taken, and remembered."""
