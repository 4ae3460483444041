"""From a folder to a Project: find the root, read devinit.toml or detect, refuse what is wrong by name."""
