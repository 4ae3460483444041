"""The logs of services: opened, bounded, timed, read."""
