"""Services in containers: `provider = "docker"`, with whichever engine answers on its socket."""
