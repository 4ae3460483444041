"""Resolve a project, with or without a supervisor: its endpoints and its environment on given ports."""
