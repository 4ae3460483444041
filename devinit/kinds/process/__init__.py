"""Any command as a service."""
