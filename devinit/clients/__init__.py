"""Clients for other languages, as files that `devinit client` copies into a project."""
