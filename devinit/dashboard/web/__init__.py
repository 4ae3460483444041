"""The dashboard in a browser: a server on loopback, its access control, and its page."""
