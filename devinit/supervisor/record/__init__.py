"""What runs, on record: written for the next supervisor, read back, compared with the configuration."""
