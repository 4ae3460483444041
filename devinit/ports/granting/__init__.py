"""Granting ports to services: candidates, policies, answers to conflicts, and the search over all services."""
