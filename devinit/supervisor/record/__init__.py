"""The record of running services: written for the next supervisor, read back, compared with the configuration."""
