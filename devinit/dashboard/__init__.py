"""The dashboard: a client of the supervisor. It may crash or lag without touching a service."""
