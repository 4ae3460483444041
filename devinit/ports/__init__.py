"""Ports of services: machine-wide leases, holds until services bind, conflicts, and remembered ports."""
