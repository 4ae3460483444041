"""Caddy, which carries every request: found, configured, run and looked after."""
