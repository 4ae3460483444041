"""Readiness and health of services: probes, the wait for them, and later checks."""
