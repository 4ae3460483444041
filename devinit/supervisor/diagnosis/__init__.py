"""The causes of a service's failure, from its output, its processes and its surroundings."""
