"""The ports that a project remembers: `.ports.json`, and what was chosen by hand."""
