"""From a folder to a Project: find the root, read devinit.toml or detect services, report mistakes by name."""
