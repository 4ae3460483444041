"""The processes of a service: found, counted, ended."""
