"""The logs of services: their files, size limits, timestamps and readers."""
