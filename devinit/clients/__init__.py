"""Clients for other languages, as files that a project can take: `devinit client`."""
