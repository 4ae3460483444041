"""The dashboard: a client of the supervisor, so that its crashes and delays do not affect services."""
