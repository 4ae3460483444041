"""What went wrong with a service, from its output, its processes and its surroundings."""
