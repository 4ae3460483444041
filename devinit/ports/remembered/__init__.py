"""The remembered ports of a project: `.ports.json`, and the user's own choices."""
