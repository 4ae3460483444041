"""The runtime environment that applications receive, the files that carry it, and the discovery files."""
