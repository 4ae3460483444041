"""The gateway: one process for a user and machine, which serves the pages of all projects by name."""
