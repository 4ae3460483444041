"""Metrics of all projects, for Prometheus and programs that read its text format."""
