"""A service in a container: `provider = "docker"`, with whatever engine answers on its socket."""
