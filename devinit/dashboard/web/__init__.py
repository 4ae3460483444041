"""The dashboard in a browser: a server on loopback, the door that it has, and the page that it shows."""
