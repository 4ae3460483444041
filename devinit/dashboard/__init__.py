"""The dashboard: a client of the supervisor with a face. It may crash or lag without touching a service."""
