"""The session of `devinit attach`: show the output of a service, and send it the typed input."""
